#!/bin/sh
# id: X1
# name: x1-cxnet-base
# paper: Haghanifar et al. 2020 (COVID-CXNet), section 5.1, Tables 1 and 6
# needs: armiro kermany actualmed
# cost: full: three trainings of a small network, of 100 epochs; small: 1 minute on two cores
#
# The base model, version 1: five convolutions, trained on 300, 450 and 600 images, of COVID-19 in
# adults and of healthy children; then tested on 60 images of others. Nearly all of the test part is
# right, and a fifth of the 60 wrong: children are told from adults.
#
# What the code did where the paper is silent or says otherwise:
# - The paper says that all kernels are 3 x 3; the first is 5 x 5 (60,035 weights).
# - Its checkpoints were trained at 300 or 400 pixels, of one channel or three; its script takes
#   three of 320: raw, BEASF, CLAHE, in this order (the notebooks and the paper: BEASF first).
# - One image in five was held out, image by image and not by class, and chose the epoch as well as
#   being the test: hence `split --paper image --val 0.2 --stratify none`, and that val is what is
#   judged. It flatters.
# - A learning rate of 1e-4 by a range test (X3); its default was 1e-3. The paper says 100 epochs;
#   the script has 150, which end after 10 without a loss better by 0.002. The paper's are taken.
# - Classes are balanced in the loss (the paper says so of version 2 alone), images are turned by up
#   to 90 degrees and flipped both ways, Adam is Keras' (eps=1e-7).
# - Keras' validation loss, which chooses the epoch, has no class weights; cxrtool's has them.
# - Scores were rounded to two decimals before 0.5 was asked for; here they are not.
# Our choices: equally many images of both classes; the 60 others, whose origin the paper does not
# tell, are 30 and 30 of Actualmed, which are adults of one hospital.
#
# Published: 96.72 % with 300 images (59 of 61), 96.10 % with 600 (74 of 77, which a test part of
# 120 does not allow; ten runs 0.9140 to 0.9710), nothing but a curve with 450; and 80 % on the 60
# others, of which the F-score of 0.82 is (27 of 30 and 21 of 30 are right).

# include: preamble s2
case $SCALE in
full) SIZE=320 EPOCHS=100 BATCH=32 OTHERS=30 SIZES="150 225 300" ;;
small) SIZE=96 EPOCHS=2 BATCH=8 OTHERS=5 SIZES=20 ;;
esac
phantoms 150 96 normal,covid armiro kermany actualmed

# The authors' own images of COVID-19, healthy children, and 60 of neither.
covid_images > "$OUT/covid.csv"
healthy_children > "$OUT/children.csv"
gather actualmed --map-label covid=covid --map-label normal=normal --cap "label=$OTHERS" |
  stacked others raw+beasf+clahe
cxrtool ingest "$OUT/covid.csv" "$OUT/children.csv" -o "$OUT/both.csv"

for size in $SIZES; do
  hold_out --cap "label=$size" < "$OUT/both.csv" | stacked "$size-a-class" raw+beasf+clahe
  run=$OUT/runs/$size-a-class
  base_model "$OUT/$size-a-class.csv" "$run" --lr 0.0001
  cxrtool evaluate "$run" "$OUT/$size-a-class.csv" --where split=val -o "$run/val.csv"
  cxrtool evaluate "$run" "$OUT/others.csv" -o "$run/others.csv"
done

# The paper has no figure of 450 images.
for size in $SIZES; do
  set -- "$OUT/runs/$size-a-class/val.csv" --positive covid --metrics accuracy
  case $size in
  225) ;;
  300) set -- "$@" --published 'covid-cxnet:model=Base Model v1,test=ten runs' ;;
  *) set -- "$@" --published 'covid-cxnet:model=Base Model v1,test=300 images' ;;
  esac
  beside "val-$size" "$size images of each class, the part that also chose the epoch" "$@"
done
beside others 'Images of others' "$OUT"/runs/*/others.csv --positive covid \
  --metrics accuracy,f1,sensitivity,specificity \
  --published 'covid-cxnet:model=Base Model v1,test=external 60'
