#!/bin/sh
# id: L5
# name: l5-grad-cam-covid
# paper: Luiz et al. (DenseNet121 in ten folds, COVID-19, pneumonia and normal), Figures 4 and 5
# needs: prashant268
# cost: full: one training of the last layer of a DenseNet-121, of 50 epochs on 3,210 images, or
#   none where OUT is that of L1 or L3; small: 1 minute on two cores
#
# Grad-CAM of COVID-19 for 15 images of the reserved fold (Figure 4), and of pneumonia for others of
# it: Figure 5 has two images of COVID-19 and three of pneumonia beside the regions that a
# radiologist drew. The paper sees the heat in the lower lobes and in these regions.
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
# are uneven. How much of the heat is in the lungs (in_lung), and how high its hottest place is
# (peak_y, from the top, in pixels), make its sight numbers; lungs are found by cxrtool's own
# network. All else: see L1 (cxrtool recipe l1).
#
# Published: pictures; accuracy 0.946, which is the mean of ten runs, each on a fold of its own
# (the text allows it to be of the reserved fold, too). The run is judged on both here.

# include: preamble s4
case $SCALE in
full)
  WEIGHTS=imagenet SIZE=224 EPOCHS=50 BATCH=32 COPIES=602 FOLD=${FOLD:-1}
  SCHEDULE=plateau:factor=0.1,patience=5
  ;;
small) WEIGHTS=none SIZE=64 EPOCHS=1 BATCH=32 COPIES=20 FOLD=1 SCHEDULE=none ;;
esac
phantoms 132 64 normal,pneumonia,covid prashant268
mkdir -p "$OUT/tests" "$OUT/unseen"

eleven_folds
copies
augmented "$FOLD" "$COPIES"
run=$OUT/runs/densenet121/fold-$FOLD
densenet "$OUT/augmented-$FOLD.csv" "$FOLD" "$run"
on_its_fold densenet121 "$FOLD"
on_the_reserved densenet121 "$FOLD"

look() { # NAME CLASS MOST
  cxrtool cam "$run" "$OUT/folds.csv" --where split=unseen --where "label=$2" --class "$2" \
    --method gradcam --colormap jet --outline 0 --mask auto --grid "$OUT/$1.png" \
    --grid-most "$3" -d "$OUT/maps-$1" -o "$OUT/$1.csv"
}
look figure-4 covid 15
look figure-5 pneumonia 15

beside fold 'The fold that is the test of this run' "$OUT/tests/densenet121-$FOLD.csv" \
  --metrics accuracy --published luiz:model=DenseNet121,experiment=augmented
beside unseen 'The reserved fold' "$OUT/unseen/densenet121-$FOLD.csv" --metrics accuracy \
  --published luiz:model=DenseNet121,experiment=augmented
