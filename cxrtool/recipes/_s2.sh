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
  first=$(python_on "$1" 'print(next(r["path"] for r in rows if r["label"] == "covid"))')
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

# The first rows of a part, so many of each of some labels.
first_of() { # MANIFEST PART NUMBER LABEL...
  manifest=$1
  shift
  python_on "$manifest" 'part, number, *labels = given
groups = {label: [] for label in labels}
for r in rows:
    if r["split"] == part and r["label"] in groups:
        groups[r["label"]].append(r)
show(r for group in groups.values() for r in group[:int(number)])' "$@"
}

# The colours of the paper: red is hot and blue is cold. Its code draws no lines.
jet() { # RUN MANIFEST NAME OPTIONS-OF-CAM...
  run=$1 manifest=$2 name=$3
  shift 3
  cxrtool cam "$run" "$manifest" --method gradcam-cxnet --colormap jet --outline 0 --mask auto \
    -d "$OUT/maps-$name" -o "$OUT/$name.csv" "$@"
}

# In a small run, in place of the published weights: 14 outputs that learned labels by chance.
stand_in() { # MANIFEST RUN
  python_on "$1" 'names = ("Atelectasis Cardiomegaly Effusion Infiltration Mass Nodule Pneumonia "
    "Pneumothorax Consolidation Edema Emphysema Fibrosis Pleural_Thickening Hernia").split()
for number, row in enumerate(rows):
    row.update(label=names[number % 14], split="train")
show(rows)' > "$OUT/by-chance.csv"
  cxrtool train "$OUT/by-chance.csv" --arch chexnet --size "$SIZE" --epochs 1 --batch 8 \
    --normalize imagenet --seed 18 -d "$2"
}

chexnet() { # WEIGHTS RUN: as it was published
  cxrtool train --arch chexnet --weights "$1" --epochs 0 --size "$SIZE" --normalize imagenet -d "$2"
}
