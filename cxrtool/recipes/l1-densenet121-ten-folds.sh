#!/bin/sh
# id: L1
# name: l1-densenet121-ten-folds
# paper: Luiz et al. (DenseNet121 in ten folds, COVID-19, pneumonia and normal), Tables 4 and 5
# needs: prashant268
# cost: full: ten trainings of the last layer of a DenseNet-121, of 50 epochs on 3,210
#   images; small: 1 minute on two cores
#
# 572 images of each of three classes are cut into eleven folds of 52 a class. The eleventh is
# reserved; ten runs, each tested on another of the ten folds, learn from the nine that are left.
# These 468 images of a class become 1,070, once and before the training: 602 copies are turned by
# 5 degrees, enlarged by 2 % or sheared by 2 degrees. DenseNet-121 knows ImageNet, all of it is
# fixed, and only its last layer learns (3,075 weights).
#
# Nearly all images that are not of COVID-19 are of children: the collection took those of Kermany
# et al. over. To find COVID-19, nothing but age need be learned.
#
# What the paper does not say, or says otherwise:
# - Rate, epochs, batch, size and scaling are not stated. Our choices: 0.001, 50, 32, 224 pixels,
#   the scaling of ImageNet, and Keras' Adam (eps=1e-7). Its callbacks watch the loss, lower the
#   rate and select the best model; of which images the loss is, it does not say. Here no images are
#   left for a val: the plateau watches the loss of what is learned from, and the last epoch is
#   kept.
# - Which images get which of the three copies is not stated: here 602 of the 1,404 are drawn. Of
#   the three it states the direction of the shear alone (counter-clockwise); so is the turn here.
# - It took only PA views. The collection does not name the views, so that all its images may be
#   drawn; those of Kermany et al. are AP.
# - Patients are not mentioned, and the collection does not name them: folds are of images.
# - Its text counts 575 images of COVID-19 and 2,583 normal ones; the collection has 576 and 1,583.
#
# Published: accuracy 0.946; COVID-19 against the rest: sensitivity 0.977, specificity 0.989.

# include: preamble s4
case $SCALE in
full)
  WEIGHTS=imagenet SIZE=224 EPOCHS=50 BATCH=32 COPIES=602 FOLDS="1 2 3 4 5 6 7 8 9 10"
  SCHEDULE=plateau:factor=0.1,patience=5
  ;;
small) WEIGHTS=none SIZE=32 EPOCHS=1 BATCH=32 COPIES=20 FOLDS="1 2" SCHEDULE=none ;;
esac
phantoms 132 64 normal,pneumonia,covid prashant268
mkdir -p "$OUT/tests"

eleven_folds
copies
for fold in $FOLDS; do
  augmented "$fold" "$COPIES"
  densenet "$OUT/augmented-$fold.csv" "$fold" "$OUT/runs/densenet121/fold-$fold"
  on_its_fold densenet121 "$fold"
done

# The ten folds together, with their mean and spread, and the paper's figures.
beside folds 'The ten folds' "$OUT"/tests/densenet121-*.csv --pool fold \
  --metrics accuracy,sensitivity,specificity,f1 --published luiz:experiment=augmented
