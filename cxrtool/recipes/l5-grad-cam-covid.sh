#!/bin/sh
# id: L5
# name: l5-grad-cam-covid
# paper: Luiz et al. (DenseNet121 in ten folds, COVID-19, pneumonia and normal), Figures 4 and 5
# needs: prashant268
# cost: full: one training of the last layer of a DenseNet-121, of 50 epochs on 3,210 images, or
#   none where OUT is that of L1 or L3; small: 1 minute on two cores
#
# Grad-CAM of COVID-19 for 15 images of the reserved fold (Figure 4), and of the true class for
# images of COVID-19 and of another pneumonia (Figure 5). The paper sees the heat in the lower lobes
# and, in five images, where a radiologist drew regions.
#
# What the paper does not say, or says otherwise:
# - Which of the ten models was asked: here that of the first fold, or of the fold that FOLD names
#   (L3 says which is best).
# - Which 15 images were drawn: here the first. All of the fold are measured.
# - One sentence says that two radiologists drew regions, the acknowledgement names one. Their
#   drawings are not published, so that nothing is compared with them here. Where a manifest has the
#   column `lesion`, as of RSNA's boxes, cam draws it and measures the heat in it.
# - Of which class the maps of its pneumonia images are: here of pneumonia.
# Our choices: the colours of the paper, red hot and blue cold (jet), which mislead, as their steps
# are uneven. How much of the heat is in the lungs (in_lung) makes its sight a number; lungs are
# found by cxrtool's own network. All else: see L1 (cxrtool recipe l1).
#
# Published: pictures; accuracy 0.946.

# include: preamble s4
case $SCALE in
full)
  WEIGHTS=imagenet SIZE=224 EPOCHS=50 BATCH=32 COPIES=602 FOLD=${FOLD:-1}
  SCHEDULE=plateau:factor=0.1,patience=5
  ;;
small) WEIGHTS=none SIZE=64 EPOCHS=1 BATCH=32 COPIES=20 FOLD=1 SCHEDULE=none ;;
esac
phantoms 132 64 normal,pneumonia,covid prashant268
mkdir -p "$OUT/unseen"

eleven_folds
copies
augmented "$FOLD" "$COPIES"
run=$OUT/runs/densenet121/fold-$FOLD
densenet "$OUT/augmented-$FOLD.csv" "$FOLD" "$run"
on_the_reserved densenet121 "$FOLD"

look() { # NAME OPTIONS...
  name=$1
  shift
  cxrtool cam "$run" "$OUT/folds.csv" --where split=unseen --method gradcam --colormap jet \
    --outline 0 --mask auto --grid "$OUT/$name.png" -d "$OUT/maps-$name" -o "$OUT/$name.csv" "$@"
}
look figure-4 --where label=covid --class covid --grid-most 15
look figure-5 --where label=covid,pneumonia --class label --grid-most 12

beside unseen 'The reserved fold' "$OUT/unseen/densenet121-$FOLD.csv" --metrics accuracy \
  --published luiz:model=DenseNet121,experiment=augmented
