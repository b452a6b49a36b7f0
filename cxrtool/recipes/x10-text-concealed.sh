#!/bin/sh
# id: X10
# name: x10-text-concealed
# paper: Haghanifar et al. 2020 (COVID-CXNet), section 5.3, Figure 17
# needs: armiro nih
# cost: full: all of ChestX-ray14 is read once; one training of a DenseNet-121 at 320 pixels, of 10
#   epochs on 2,902 images, or none where OUT is that of X6; small: 1 minute on two cores
#
# Does COVID-CXNet look at letters? Grad-CAM of held-out images of COVID-19 that have burnt-in
# text, as they are and with the text covered, side by side. The paper shows two images whose heat
# moves into the lungs when dates and signs are concealed.
#
# What the paper does not say, and its code does not do: how the text was concealed (by hand, it
# seems), which images these are, and how many were looked at.
# Our choices: the network is that of X6 (cxrtool recipe x6), next to which the figure stands. Text
# is found automatically, in the image as it is, and covered with the grey around it; then the image
# is enhanced as before. All held-out images of COVID-19 in which text is found are measured: how
# much of the heat is in the lungs before and after, and how many predictions change. Lungs are
# found by cxrtool's own network in the enhanced image. Colours are those of the paper (jet), which
# mislead: blue is cold.
#
# Published: pictures; accuracy 0.9904 and F-score 0.96 of the network on images as they are.

# include: preamble s2
case $SCALE in
full) WEIGHTS=${WEIGHTS:-imagenet} SIZE=320 EPOCHS=10 BATCH=16 ;;
small) WEIGHTS=none SIZE=96 EPOCHS=1 BATCH=8 ;;
esac
phantoms 60 256 normal,covid armiro nih

covid_images > "$OUT/covid.csv"
healthy_adults > "$OUT/healthy.csv"
cxrtool ingest "$OUT/covid.csv" "$OUT/healthy.csv" |
  hold_out --cap covid=428 --cap normal=3200 -o "$OUT/split.csv"
stacked stacks beasf+clahe+raw < "$OUT/split.csv"
covid_cxnet "$OUT/stacks.csv" normal,covid "$OUT/covid-cxnet" --class-weights balanced \
  --lr 0.001 --epochs "$EPOCHS" --augment rotate=90,hflip=0.5,vflip=0.5

# The same images with the text covered, at their own size, before they are enhanced.
cxrtool equalize "$OUT/split.csv" --where split=val \
  --method stack:channels=beasf+clahe+raw,gamma=1.5,clip=2,tiles=8 --size "$SIZE" \
  --interpolation cubic --conceal auto -d "$OUT/concealed" -o "$OUT/concealed.csv"

look() { # NAME MANIFEST OPTIONS...
  name=$1 manifest=$2
  shift 2
  cxrtool cam "$OUT/covid-cxnet" "$manifest" --where split=val --where label=covid \
    --method gradcam-cxnet --class covid --colormap jet --outline 0 --mask auto \
    -d "$OUT/maps-$name" -o "$OUT/$name.csv" "$@"
}
look before "$OUT/stacks.csv"
look after "$OUT/concealed.csv" --where 'concealed!=0' --beside "$OUT/before.csv" \
  --grid "$OUT/figure-17.png" --grid-most 12

cxrtool evaluate "$OUT/covid-cxnet" "$OUT/stacks.csv" --where split=val -o "$OUT/val.csv"
cxrtool evaluate "$OUT/covid-cxnet" "$OUT/concealed.csv" -o "$OUT/val-concealed.csv"
# Of concealed text the paper has no figure.
figures() { # NAME TITLE PREDICTIONS
  beside "$1" "$2" "$3" --positive covid --metrics accuracy,f1,sensitivity,specificity,auc \
    --published 'covid-cxnet:model=COVID-CXNet v1,test=single run'
}
figures as-they-are 'The images held out, which also chose the epoch' "$OUT/val.csv"
figures concealed 'The same images with text concealed (the paper: as they are)' \
  "$OUT/val-concealed.csv"
