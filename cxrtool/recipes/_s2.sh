covid_images() { # the authors' own
  gather armiro --map-label 'covid*=covid' --map-label '*='
}

healthy_children() {
  gather kermany --map-label normal=normal --map-label '*='
}

healthy_adults() {
  gather nih --view PA,AP --map-label 'no finding=normal' --map-label normal=normal \
    --map-label '*='
}

# Healthy, another pneumonia (CAP) and COVID-19, cut to the lungs' boxes.
three_classes() {
  covid_images > "$OUT/covid.csv"
  gather nih --view PA,AP --map-label 'no finding=normal' --map-label normal=normal \
    --map-label '*pneumonia*=cap' --map-label '*consolidation*=cap' --map-label '*=' \
    > "$OUT/nih.csv"
  cxrtool ingest "$OUT/covid.csv" "$OUT/nih.csv" |
    hold_out --cap covid=700 --cap cap=3500 --cap normal=3500 | lung_boxes boxes
}

# One image in five is held out, image by image and not by class; it chooses the epoch, too.
hold_out() { # OPTIONS-OF-SPLIT...
  cxrtool split - --paper image --val 0.2 --stratify none --seed 18 "$@"
}

resized() { # NAME
  cxrtool equalize - --method none --size "$SIZE" --interpolation cubic -d "$OUT/resized" \
    -o "$OUT/$1.csv"
}

# The lungs' bounding box of the plain image; 5 x 5 three times is 6 pixels a side.
lung_boxes() { # NAME
  resized "$1-resized"
  cxrtool segment "$OUT/$1-resized.csv" --keep box --dilate 6 -d "$OUT/boxes" -o "$OUT/$1.csv"
}

# As in the code, images are resized first, then matched, then enhanced.
matched() { # MANIFEST: to the histogram of its first image of COVID-19
  first=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) place[$i] = i; next }
    $place["label"] == "covid" { print $place["path"]; exit }' "$1")
  cxrtool equalize "$1" --method "match:reference=$first" --size "$SIZE" \
    --interpolation cubic -d "$OUT/matched"
}

stacked() { # NAME CHANNELS
  cxrtool equalize - --method "stack:channels=$2,gamma=1.5,clip=2,tiles=8" --size "$SIZE" \
    --interpolation cubic -d "$OUT/stacks" -o "$OUT/$1.csv"
}

# Keras' Adam.
ADAM=adam:eps=1e-7

base_model() { # MANIFEST RUN OPTIONS...
  manifest=$1 run=$2
  shift 2
  cxrtool train "$manifest" --arch cxnet-base --classes normal,covid --class-weights balanced \
    --optimizer "$ADAM" --epochs "$EPOCHS" --batch "$BATCH" --size "$SIZE" --normalize unit \
    --augment rotate=90,hflip=0.5,vflip=0.5 --seed 18 -d "$run" "$@"
}

WIDE=rotate=170,zoom=0.8..1.5,brightness=0.5..1.3,hflip=0.5,vflip=0.5,fill=constant

covid_cxnet() { # MANIFEST CLASSES RUN OPTIONS...
  manifest=$1 classes=$2 run=$3
  shift 3
  cxrtool train "$manifest" --arch covid-cxnet --classes "$classes" --weights "$WEIGHTS" \
    --freeze none --loss ce --optimizer "$ADAM" --batch "$BATCH" --size "$SIZE" --normalize unit \
    --seed 18 -d "$run" "$@"
}
