#!/bin/sh
# id: T2
# name: t2-pneumonia-first
# paper: Tartaglione et al. 2020 (Unveiling COVID-19 from chest X-ray), section III-C
# needs: kermany rsna
# cost: full: two trainings of a ResNet-18, of 150 and 160 epochs; small: 1 minute on two cores
#
# The first trainings of T3 by themselves: ResNet-18, which knows ImageNet, learns pneumonia from
# equalised images of the lungs alone. ChestXRay has three classes (normal, bacteria, virus), RSNA
# two. T3 and T4 go on from these runs with COVID-19.
#
# What the code did where the paper is silent or says otherwise:
# - ChestXRay: the first 1,349 images of every class, of its folders train and val together, of
#   which 349 a class are val; its test folder (624 images) is the test. The two folders have only
#   1,345 images of virus: here 997 are train and 348 are val.
# - RSNA: 3,000 images of either class, 70 % to learn from, of these a fifth for val. Its script
#   cannot run as published (a checkpoint and a class are missing), so rates and epochs of it are
#   read, not run: 0.1 and 160. Two classes share one output, and the loss is the same.
# - The softmax was applied twice on ChestXRay; here once (--loss double-softmax does as it did).
# - The weights handed on are those of the last epoch; so are the figures here.
# - Images were normalised by means of CORDA and of these images; here by those of train.
# - Images were brought to 256, moved and enlarged, and the middle 224 taken; here they are moved
#   after the crop, and the edge is black. The first layer keeps the weights of ImageNet's red.
# Our choices: which images are taken is drawn (seed 42), as the code's order of files is not
# known; weight decay and batch of RSNA are those of ChestXRay; preparation as in T1, with the lung
# network that comes with cxrtool.
#
# Published: no figure: the paper shows these trainings by what comes after them only. The tables
# below are therefore without a column of the paper.

# include: preamble s0
case $SCALE in
full)
  WEIGHTS=imagenet SIZE=224 CHESTXRAY_EPOCHS=150 RSNA_EPOCHS=160
  SCHEDULE=plateau:factor=0.1,patience=15
  ;;
small) WEIGHTS=none SIZE=32 CHESTXRAY_EPOCHS=1 RSNA_EPOCHS=1 SCHEDULE=none ;;
esac
phantoms 120 64 normal,pneumonia,covid kermany rsna

kermany_parts | prepare kermany
rsna_parts | prepare rsna
first_training kermany tartaglione-resnet18 "$OUT/ChestXRay"
first_training rsna tartaglione-resnet18 "$OUT/RSNA"
predict "$OUT/ChestXRay" "$OUT/kermany.csv" "$OUT/ChestXRay.csv"
predict "$OUT/RSNA" "$OUT/rsna.csv" "$OUT/RSNA.csv"

beside ChestXRay 'ChestXRay, its test folder (the paper has no figure)' "$OUT/ChestXRay.csv" \
  --metrics accuracy,balanced_accuracy,sensitivity,specificity,auc
beside RSNA 'RSNA, its test part (the paper has no figure)' "$OUT/RSNA.csv" --positive pneumonia \
  --metrics accuracy,balanced_accuracy,sensitivity,specificity,auc
