#!/bin/sh
# id: X8
# name: x8-multiclass-flat
# paper: Haghanifar et al. 2020 (COVID-CXNet), section 5.3, Table 4
# needs: armiro nih
# cost: full: all of ChestX-ray14 is read once; one training of a DenseNet-121 at 320 pixels, of 30
#   epochs on 6,160 images; small: 1 minute on two cores
#
# COVID-CXNet of three classes: 3,500 healthy, 3,500 with another pneumonia (CAP) and 700 with
# COVID-19 (CP). The lungs' box is cut out, its histogram matched to that of one image, and the
# result stacked, plain and enhanced in two ways (X7).
#
# What the code did where the paper is silent or says otherwise:
# - The image whose histogram the others get is the first of its array, one of COVID-19; here the
#   first of COVID-19, cut to its box. It may be one of those that are held out.
# - It has 3,674, 3,500 and 1,326 images; the paper's numbers are taken.
# - Images are shifted by up to a tenth, in X7 by up to a fifth.
# - Adam of 2e-4, batches of 16, label smoothing 0.1; class weights balanced over all labels, those
#   of the test too (here over train).
# - One image in five was held out, image by image and not by class, and chose the epoch as well as
#   being the test: that val is what is judged. It flatters. The test of its Table 4 has 724, 672
#   and 144 images.
# Our choices: CAP are images of ChestX-ray14 with pneumonia or consolidation among their findings,
# which the paper names together (pneumonia alone are fewer than 3,500); frontal views only; all
# else as X7 (cxrtool recipe x7). The authors' collection may hold fewer than 700 of COVID-19 in
# its public release; all that there are are then taken.
#
# Published: accuracy 0.8104, F-scores 0.85 (CP) and 0.76 (CAP; its counts give 0.7651); ten runs
# 0.8025 to 0.8486.

# include: preamble s2
case $SCALE in
full) WEIGHTS=${WEIGHTS:-imagenet} SIZE=320 EPOCHS=30 BATCH=16 ;;
small) WEIGHTS=none SIZE=64 EPOCHS=1 BATCH=8 ;;
esac
phantoms 90 96 normal,pneumonia,covid armiro nih

three_classes
matched "$OUT/boxes.csv" | stacked stacks beasf+clahe+raw
covid_cxnet "$OUT/stacks.csv" normal,cap,covid "$OUT/covid-cxnet" --class-weights balanced \
  --label-smoothing 0.1 --lr 0.0002 --epochs "$EPOCHS" --augment "$WIDE,shift=0.1"
cxrtool evaluate "$OUT/covid-cxnet" "$OUT/stacks.csv" --where split=val -o "$OUT/val.csv"
beside table 'The images held out, which also chose the epoch' "$OUT/val.csv" \
  --metrics accuracy,f1,sensitivity,precision \
  --published 'covid-cxnet:model=Flat Multiclass COVID-CXNet,test=single run'
