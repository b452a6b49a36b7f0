#!/bin/sh
# id: X11
# name: x11-grad-cam-and-lime
# paper: Haghanifar et al. 2020 (COVID-CXNet), Figures 12, 15, 18 and 19
# needs: armiro nih
# cost: full: all of ChestX-ray14 is read once; trainings of the base model and of five
#   DenseNet-121 at 320 pixels, of 10 to 30 epochs on 2,720 to 6,160 images; small: 2 minutes on two
#   cores
#
# Where do the paper's networks look? By Grad-CAM as its code computes it, and by LIME: for the base
# model (X2) both side by side (Figure 12), for COVID-CXNet without and with the lungs' box (X6 and
# X7; Figures 15 and 18) side by side, and for three classes (X8, X9; Figure 19) flat and in two
# steps side by side. The paper takes the heat maps for the main measure of a network. It finds
# those of the base model wrong, and those with the lungs' box the best.
#
# What the code did where the paper is silent or says otherwise:
# - Its Grad-CAM is another than the published one: slopes of the probability, no ReLU, and a map
#   that is spread from 0 to 1 (cxrtool cam --method gradcam-cxnet).
# - Its LIME shows the five superpixels that speak for the class. Figure 12 shows those against it,
#   too, as here (--signs both).
# - Red is hot and blue cold, which misleads, as the steps between the colours are uneven; here too
#   (--colormap jet). LIME is green and red there, which many cannot tell apart; orange and blue
#   here.
# Our choices: of each class the first images that were held out; which ones it drew is not known.
# Figure 10 (as 12, of X1's model), 20 to 22 (more of 15, 18 and 19) and 14 and 16 (CheXNet, X5) are
# left out. Lungs are found by cxrtool's own network, so that where the heat is becomes a number
# (in_lung). All else as X2, X6, X7, X8 and X9.
#
# Published: pictures; accuracy 0.9868 (base model), 0.9904, 0.9862 (COVID-CXNet without and with
# the box), 0.8104 and 0.8721 (three classes, flat and in two steps).

# include: preamble s2
case $SCALE in
full)
  WEIGHTS=${WEIGHTS:-imagenet} SIZE=320 EACH=6 SAMPLES=1000
  BASE_EPOCHS=120 TEN=10 TWENTY=20 THIRTY=30
  ;;
small) WEIGHTS=none SIZE=96 EACH=2 SAMPLES=40 BASE_EPOCHS=1 TEN=1 TWENTY=1 THIRTY=1 ;;
esac
phantoms 90 96 normal,pneumonia,covid armiro nih

# The first rows of each of some classes that were held out.
first_of() { # MANIFEST LABELS
  awk -F, -v "most=$EACH" -v "labels=,$2," '
    NR == 1 { for (i = 1; i <= NF; i++) place[$i] = i; print; next }
    $place["split"] == "val" && index(labels, "," $place["label"] ",") &&
      number[$place["label"]]++ < most' "$1"
}

look() { # NAME RUN MANIFEST OPTIONS-OF-CAM...
  name=$1 run=$2 manifest=$3
  shift 3
  cxrtool cam "$OUT/runs/$run" "$manifest" --mask auto --grid-most 18 -d "$OUT/maps-$name" \
    -o "$OUT/$name.csv" --grid "$OUT/$name.png" "$@"
}

jet() { # NAME RUN MANIFEST OPTIONS-OF-CAM...
  look "$@" --method gradcam-cxnet --colormap jet --outline 0
}

judged() { # NAME MODEL-OF-THE-PAPER MANIFEST OPTIONS-OF-EVALUATE...
  name=$1 model=$2 manifest=$3
  shift 3
  cxrtool evaluate "$OUT/runs/$name" "$manifest" --where split=val -o "$OUT/$name-val.csv" "$@"
  beside "$name" "$model, the images held out, which also chose the epoch" "$OUT/$name-val.csv" \
    --metrics accuracy,f1 --published "covid-cxnet:model=$model"
}

covid_images > "$OUT/covid.csv"
healthy_adults > "$OUT/healthy.csv"
cxrtool ingest "$OUT/covid.csv" "$OUT/healthy.csv" -o "$OUT/both.csv"

# Figure 12
hold_out --cap covid=400 --cap normal=3000 < "$OUT/both.csv" | stacked base raw+beasf+clahe
EPOCHS=$BASE_EPOCHS BATCH=32
base_model "$OUT/base.csv" "$OUT/runs/base" --lr 0.0001
judged base 'Base Model v2' "$OUT/base.csv"
first_of "$OUT/base.csv" covid > "$OUT/base-first.csv"
jet base-grad-cam base "$OUT/base-first.csv" --class covid
look base-lime base "$OUT/base-first.csv" --class covid --method "lime:samples=$SAMPLES" \
  --signs both --beside "$OUT/base-grad-cam.csv"

# Figures 15 and 18
BATCH=16
hold_out --cap covid=428 --cap normal=3200 -o "$OUT/split.csv" < "$OUT/both.csv"
stacked v1 beasf+clahe+raw < "$OUT/split.csv"
covid_cxnet "$OUT/v1.csv" normal,covid "$OUT/runs/v1" --class-weights balanced --lr 0.001 \
  --epochs "$TEN" --augment rotate=90,hflip=0.5,vflip=0.5
judged v1 'COVID-CXNet v1' "$OUT/v1.csv"
first_of "$OUT/v1.csv" covid > "$OUT/v1-first.csv"
jet without-box v1 "$OUT/v1-first.csv" --class covid
lung_boxes boxes < "$OUT/split.csv"
stacked v2 beasf+clahe+raw < "$OUT/boxes.csv"
covid_cxnet "$OUT/v2.csv" normal,covid "$OUT/runs/v2" --class-weights balanced \
  --label-smoothing 0.1 --lr 0.001 --epochs "$TEN" --augment "$WIDE,shift=0.2"
judged v2 'COVID-CXNet v2' "$OUT/v2.csv"
first_of "$OUT/v2.csv" covid > "$OUT/v2-first.csv"
jet with-box v2 "$OUT/v2-first.csv" --class covid --beside "$OUT/without-box.csv"

# Figure 19
three_classes
matched "$OUT/boxes.csv" | stacked three beasf+clahe+raw
covid_cxnet "$OUT/three.csv" normal,cap,covid "$OUT/runs/flat" --class-weights balanced \
  --label-smoothing 0.1 --lr 0.0002 --epochs "$THIRTY" --augment "$WIDE,shift=0.1"
judged flat 'Flat Multiclass COVID-CXNet' "$OUT/three.csv"
cxrtool ingest "$OUT/three.csv" --map-label normal=normal --map-label 'no finding=normal' \
  --map-label '*=pneumonia' -o "$OUT/level-1.csv"
covid_cxnet "$OUT/level-1.csv" normal,pneumonia "$OUT/runs/level-1" --label-smoothing 0.1 \
  --lr 0.0001 --epochs "$TEN" --augment "$WIDE,shift=0.1"
covid_cxnet "$OUT/three.csv" cap,covid "$OUT/runs/level-2" --label-smoothing 0.1 \
  --lr 0.0001 --epochs "$TWENTY" --augment "$WIDE,shift=0.1"
judged level-1 'Hierarchical Multiclass COVID-CXNet' "$OUT/three.csv" \
  --hierarchy "$OUT/runs/level-2"
first_of "$OUT/three.csv" normal,cap,covid > "$OUT/three-first.csv"
jet three-flat flat "$OUT/three-first.csv"
jet three-in-steps level-1 "$OUT/three-first.csv" --hierarchy "$OUT/runs/level-2" \
  --beside "$OUT/three-flat.csv"
