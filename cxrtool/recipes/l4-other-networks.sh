#!/bin/sh
# id: L4
# name: l4-other-networks
# paper: Luiz et al. (DenseNet121 in ten folds, COVID-19, pneumonia and normal), Table 7
# needs: prashant268
# cost: full: ten trainings each of a small network and of a ResNet-50, of 50 and 30 epochs on 3,210
#   images, and the ten of L1, or none of these where OUT is that of L1; small: 1 minute on two
#   cores
#
# DenseNet-121 (L1) against two other networks on the same folds: a CNN of the authors', and the
# network of Narin et al. Figures are of COVID-19 against the rest; that of RT-PCR is quoted, and
# nothing is made of it here.
#
# What the paper does not say, or says otherwise:
# - Of the CNN it says nothing but the word. Our choice: four blocks of convolution, batch norm and
#   pooling (--arch luiz-cnn), no published weights, and all else as L1.
# - Of Narin's network it does not say what was kept. Our choices are those of the later public code
#   of its authors: ResNet-50 that knows ImageNet, a hidden layer of 1,024 units, nothing fixed,
#   Adam of 1e-5, batches of 3, 30 epochs; shear of 0.1 degrees, zoom of 0.1 and horizontal
#   flips, anew in every epoch; grey levels of 0 to 1. The folds are without L1's copies, as that
#   code changes images itself.
# - Accuracy 97.0 % of Narin's network does not follow from its sensitivity and specificity in
#   classes of one size, which give 96.8 %.
# All else: see L1 (cxrtool recipe l1).
#
# Published: accuracy 0.985 (DenseNet-121), 0.939 (CNN), 0.970 (Narin's); sensitivity 0.977, 0.852
# and 0.911; specificity 0.989, 0.982 and 0.997.

# include: preamble s4
case $SCALE in
full)
  WEIGHTS=imagenet SIZE=224 FOLDS="1 2 3 4 5 6 7 8 9 10" COPIES=602
  SCHEDULE=plateau:factor=0.1,patience=5
  EPOCHS_OF_ALL=50 NARIN_EPOCHS=30
  ;;
small)
  WEIGHTS=none SIZE=32 FOLDS="1 2" COPIES=20
  SCHEDULE=none
  EPOCHS_OF_ALL=1 NARIN_EPOCHS=1
  ;;
esac
phantoms 132 64 normal,pneumonia,covid prashant268
mkdir -p "$OUT/tests"

eleven_folds
copies
from=$WEIGHTS
for fold in $FOLDS; do
  augmented "$fold" "$COPIES"
  WEIGHTS=$from EPOCHS=$EPOCHS_OF_ALL BATCH=32
  densenet "$OUT/augmented-$fold.csv" "$fold" "$OUT/runs/densenet121/fold-$fold"
  WEIGHTS=none
  learn "$OUT/augmented-$fold.csv" "$fold" "$OUT/runs/luiz-cnn/fold-$fold" --arch luiz-cnn \
    --lr 0.001 --schedule "$SCHEDULE" --normalize unit
  WEIGHTS=$from EPOCHS=$NARIN_EPOCHS BATCH=3
  learn "$OUT/folds.csv" "$fold" "$OUT/runs/narin-resnet50/fold-$fold" --arch narin-resnet50 \
    --freeze none --lr 0.00001 --normalize unit --augment shear=0.1,zoom=0.1,hflip=0.5
  for network in densenet121 luiz-cnn narin-resnet50; do
    on_its_fold "$network" "$fold"
  done
done

against_the_rest() { # NETWORK MODEL-OF-THE-PAPER
  beside "$1" "$1, COVID-19 against the rest" "$OUT/tests/$1"-*.csv --pool fold \
    --positive covid --metrics accuracy,sensitivity,specificity \
    --published "luiz:model=$2,experiment=COVID-19 against the rest"
}
against_the_rest densenet121 DenseNet121
against_the_rest luiz-cnn CNN
against_the_rest narin-resnet50 'Narin ResNet50'
