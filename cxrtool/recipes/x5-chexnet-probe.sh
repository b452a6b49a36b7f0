#!/bin/sh
# id: X5
# name: x5-chexnet-probe
# paper: Haghanifar et al. 2020 (COVID-CXNet), section 5.2, Figure 14
# needs: armiro nih
# cost: full: all of ChestX-ray14 is read once, and 800 images are predicted; small: 1 minute on two
#   cores
#
# Does CheXNet, which knows 14 findings and no COVID-19, tell COVID-19 from healthy lungs with no
# training at all? Each of its outputs is taken as a score for COVID-19. The paper sees outputs that
# are slightly higher for most findings, very high ones of infiltration in nearly all images, and
# heat maps that mark the lungs, but also places outside of them, most of all corners.
#
# What the code did where the paper is silent or says otherwise:
# - The last layer has a sigmoid in one script (test.py) and in some versions of another
#   (CheXNet.py), and a softmax over the 14 findings in its last one, with which the notebook's
#   numbers were made: they sum to 1. An image may have several findings, so that here each output
#   has its sigmoid, as CheXNet has.
# - It shows the network images of 320 pixels (of the nearest neighbours), of 0 to 1. The weights
#   were trained on 224 pixels with ImageNet's mean and spread, and are shown that here.
# Our choices: WEIGHTS names the file of a CheXNet in PyTorch (default: DATA/chexnet.pth.tar), with
# the 14 outputs in the order of cxrtool; plain images; 400 of COVID-19, and 400 of healthy adults
# of ChestX-ray14, where the paper shows one of each: here the first of each, and the means of all.
# CheXNet was trained on images of ChestX-ray14, most likely on some of these. Heat maps are of
# infiltration and of pneumonia, as the paper does not say of what its are, and of the first six
# images of each class; how much of the heat is in the lungs (in_lung) makes its sight a number.
# They are drawn as in X11 (cxrtool recipe x11).
#
# Published: the bars of two images, and no figure, so that no column is of the paper.

# include: preamble s2
case $SCALE in
full) WEIGHTS=${WEIGHTS:-$DATA/chexnet.pth.tar} SIZE=224 EACH=400 MAPS=6 ;;
small) WEIGHTS=$OUT/stand-in SIZE=64 EACH=20 MAPS=2 ;;
esac
phantoms 60 96 normal,covid armiro nih

covid_images > "$OUT/covid.csv"
healthy_adults > "$OUT/healthy.csv"
cxrtool ingest "$OUT/covid.csv" "$OUT/healthy.csv" |
  cxrtool split - --paper image --val 0 --seed 18 --cap "label=$EACH" -o "$OUT/images.csv"

if [ "$SCALE" = small ]; then
  stand_in "$OUT/images.csv" "$WEIGHTS"
fi
chexnet "$WEIGHTS" "$OUT/chexnet"
cxrtool evaluate "$OUT/chexnet" "$OUT/images.csv" --target covid -o "$OUT/outputs.csv"

first_of "$OUT/images.csv" train "$MAPS" covid normal > "$OUT/first.csv"
for finding in Infiltration Pneumonia; do
  jet "$OUT/chexnet" "$OUT/first.csv" "$finding" --class "$finding" --grid "$OUT/$finding.png"
done

printf '\nOutputs: means, those of the first image of each class (Figure 14), share above 0.5:\n\n'
python_on "$OUT/outputs.csv" 'outputs = {}
for r in rows:
    outputs.setdefault((r["finding"], r["label"]), []).append(float(r["p_covid"]))
print("| finding | COVID-19 | healthy | one of COVID-19 | one healthy | above 0.5 |")
print("|---|---|---|---|---|---|")
for finding in dict.fromkeys(finding for finding, _ in outputs):
    sick, healthy = outputs[finding, "covid"], outputs[finding, "other"]
    both = [*sick, *healthy]
    means = [sum(one) / len(one) for one in (sick, healthy, [p > 0.5 for p in both])]
    figures = [*means[:2], sick[0], healthy[0], means[2]]
    print("|", " | ".join([finding, *(f"{figure:.3f}" for figure in figures)]), "|")'
beside probe 'Each output as a score for COVID-19 (the paper has no figure)' "$OUT/outputs.csv" \
  --by finding --positive covid --metrics auc
