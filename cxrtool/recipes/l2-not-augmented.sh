#!/bin/sh
# id: L2
# name: l2-not-augmented
# paper: Luiz et al. (DenseNet121 in ten folds, COVID-19, pneumonia and normal), Table 6
# needs: prashant268
# cost: full: ten trainings of the last layer of a DenseNet-121, of 50 epochs on 1,404
#   images; small: 1 minute on two cores
#
# L1 without the copies that are turned, enlarged and sheared: what do they bring?
#
# What the paper does not say, or says otherwise: see L1 (cxrtool recipe l1). Besides:
# - Its accuracy of 93.84 % and its mean sensitivity of 94.0 % should be one number, as the classes
#   are of one size. The specificity would then be 97 %, not 96.0 %.
# - The figures of its Table 6 may be of the ten folds or, as a sentence beside it says, of the
#   eleventh: both are shown.
# - The difference to L1 in accuracy (0.0076) is less than the standard error of a difference
#   between two accuracies on 1,560 images (0.0084).
# Our choices: those of L1; as many epochs, so that fewer steps are made than with the copies.
#
# Published: accuracy 0.9384 (L1: 0.946), sensitivity 0.940, specificity 0.960; the latter two are
# taken for means of the classes.

# include: preamble s4
case $SCALE in
full)
  WEIGHTS=imagenet SIZE=224 EPOCHS=50 BATCH=32 FOLDS="1 2 3 4 5 6 7 8 9 10"
  SCHEDULE=plateau:factor=0.1,patience=5
  ;;
small) WEIGHTS=none SIZE=32 EPOCHS=1 BATCH=32 FOLDS="1 2" SCHEDULE=none ;;
esac
phantoms 132 64 normal,pneumonia,covid prashant268
mkdir -p "$OUT/tests" "$OUT/unseen"

eleven_folds
for fold in $FOLDS; do
  densenet "$OUT/folds.csv" "$fold" "$OUT/runs/densenet121/fold-$fold"
  on_its_fold densenet121 "$fold"
  on_the_reserved densenet121 "$fold"
done
beside folds 'The ten folds, without copies' "$OUT"/tests/densenet121-*.csv --pool fold \
  --metrics accuracy,sensitivity,specificity --published 'luiz:experiment=not augmented'
beside unseen 'Each run on the eleventh fold, without copies' "$OUT"/unseen/densenet121-*.csv \
  --metrics accuracy,sensitivity,specificity --published 'luiz:experiment=not augmented'
