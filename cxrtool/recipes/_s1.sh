# The collections by the paper's classes: healthy, bacterial, other viral and COVID-19 pneumonia.
some() { # CLASS N NAME: the images of a class, at most so many
  cxrtool split - --where "label=$1" --cap "$1=$2" --val 0 -o "$OUT/$3.csv"
}

covid_cohen() { # N: CIDC
  gather cohen --view PA,AP | some covid "$1" cohen
}

covid_folders() { # N-OF-CCXRI N-OF-BIMCV
  gather ccxri | some covid "$1" ccxri
  gather bimcv --view PA,AP | some covid "$2" bimcv
}

# Without COVID-19 are, in the paper, the healthy and those with another pneumonia, and no others.
without_covid() { # COLLECTION N
  gather "$1" --view PA,AP --map-label 'no finding=other' --map-label 'normal=other' \
    --map-label '*pneumonia*=other' --map-label '*=' | some other "$2" "$1"
}

images() { # NAME: of one size, without a change of grey levels
  cxrtool equalize - --method none --size "$SIZE" --interpolation nearest -d "$OUT/images" \
    -o "$OUT/$1.csv"
}

network() { # MANIFEST CLASSES ARCHITECTURE RUN OPTIONS...: what all trainings share
  manifest=$1 classes=$2 architecture=$3 run=$4
  shift 4
  cxrtool train "$manifest" --arch "$architecture" --classes "$classes" --weights "$WEIGHTS" \
    --loss ce --class-weights max --optimizer adam:beta1=0.9,beta2=0.999,eps=1e-7 --lr 0.0001 \
    --schedule "$SCHEDULE" --patience "$PATIENCE" --epochs "$EPOCHS" --batch "$BATCH" \
    --size "$SIZE" --normalize imagenet \
    --augment rotate=10@0.45,shift=0.1@0.2,hflip=0.5,vflip=0.5 -d "$run" "$@"
}

folds() { # TASK MANIFEST...: divided into five, image by image
  task=$1
  shift
  cxrtool ingest "$@" | cxrtool split - --paper image --folds 5 --seed 1 | images "$task"
}

in_folds() { # TASK CLASSES: learned and tested in every fold
  for fold in $FOLDS; do
    run=$OUT/runs/$1/fold-$fold
    network "$OUT/$1.csv" "$2" cvr-net "$run" --fold "$fold"
    cxrtool evaluate "$run" "$OUT/$1.csv" --where "fold=$fold" -o "$run.csv"
  done
}

# CXR-Independent-CL2: learned from four collections, tested on two others.
independent() {
  without_covid chexpert 1102
  gather kermany --map-label '*=other' | some other 5856 kermany
  covid_folders 1757 1758
  without_covid nih 1227
  covid_cohen 500
  for collection in chexpert kermany ccxri bimcv nih cohen; do
    set -- "$@" "$OUT/$collection.csv"
  done
  cxrtool ingest "$@" |
    cxrtool split - --test-where source=nih,cohen --straddle drop --val 2094/10473 |
    images images
}

# The images of COVID-19 of which a run is surest; those that it gets right come first.
surest() { # PREDICTIONS MOST
  python_on "$1" 'sick = [r for r in rows if r["label"] == "covid"]
show(sorted(sick, key=lambda r: float(r["p_covid"]), reverse=True)[:int(given[0])])' "$2"
}

# Figure 2: Grad-CAM of COVID-19, with a line at 0.6 of the maximum.
look() { # NAME RUN OPTIONS-OF-CAM...
  name=$1 run=$2
  shift 2
  cxrtool cam "$OUT/runs/$run" "$OUT/three.csv" --method gradcam --class covid --outline 0.6 \
    -d "$OUT/maps-$name" -o "$OUT/$name.csv" "$@"
}
