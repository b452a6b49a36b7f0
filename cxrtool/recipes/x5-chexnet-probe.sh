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
# are slightly higher for most findings, and very high ones of infiltration in nearly all images.
#
# What the code did where the paper is silent or says otherwise:
# - The last layer has a sigmoid in one script (test.py) and a softmax over the 14 findings in
#   another (CheXNet.py), with which the notebook's numbers were made: they sum to 1. An image may
#   have several findings, so that here each output has its sigmoid, as CheXNet has.
# Our choices: WEIGHTS names the file of a CheXNet in PyTorch (default: DATA/chexnet.pth.tar), with
# the 14 outputs in the order of cxrtool; images of 224 pixels, plain, with ImageNet's grey levels,
# as such weights are trained; 400 of COVID-19, and 400 of healthy adults of ChestX-ray14, where the
# paper shows one of each. CheXNet was trained on images of ChestX-ray14, most likely on some of
# these. Its heat maps, which the paper describes as well, are not drawn: cam takes no run of
# findings.
#
# Published: the bars of two images, and no figure, so that no column is of the paper.

# include: preamble s2
case $SCALE in
full) WEIGHTS=${WEIGHTS:-$DATA/chexnet.pth.tar} SIZE=224 EACH=400 ;;
small) WEIGHTS=$OUT/stand-in SIZE=64 EACH=20 ;;
esac
phantoms 60 96 normal,covid armiro nih

covid_images > "$OUT/covid.csv"
healthy_adults > "$OUT/healthy.csv"
cxrtool ingest "$OUT/covid.csv" "$OUT/healthy.csv" |
  cxrtool split - --paper image --val 0 --seed 18 --cap "label=$EACH" -o "$OUT/images.csv"

if [ "$SCALE" = small ]; then
  # In place of the published weights: a network of 14 outputs that learned labels by chance.
  awk -F, -v OFS=, 'NR == 1 {
      for (i = 1; i <= NF; i++) at[$i] = i
      split("Atelectasis Cardiomegaly Effusion Infiltration Mass Nodule Pneumonia Pneumothorax " \
        "Consolidation Edema Emphysema Fibrosis Pleural_Thickening Hernia", names, " ")
    }
    NR > 1 { $at["label"] = names[NR % 14 + 1]; $at["split"] = "train" }
    { print }' "$OUT/images.csv" > "$OUT/by-chance.csv"
  cxrtool train "$OUT/by-chance.csv" --arch chexnet --size "$SIZE" --epochs 1 --batch 8 \
    --normalize imagenet --seed 18 -d "$WEIGHTS"
fi
cxrtool train --arch chexnet --weights "$WEIGHTS" --epochs 0 --size "$SIZE" --normalize imagenet \
  -d "$OUT/chexnet"
cxrtool evaluate "$OUT/chexnet" "$OUT/images.csv" --target covid -o "$OUT/outputs.csv"

printf '\nMean outputs:\n\n| finding | COVID-19 | healthy |\n|---|---|---|\n'
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
  { name = $at["finding"]; label = $at["label"]
    if (!(name in seen)) { seen[name] = 1; names[++n] = name }
    sum[name, label] += $at["p_covid"]; count[name, label]++ }
  END { for (i = 1; i <= n; i++) printf "| %s | %.3f | %.3f |\n", names[i],
    sum[names[i], "covid"] / count[names[i], "covid"],
    sum[names[i], "other"] / count[names[i], "other"] }' "$OUT/outputs.csv"
beside probe 'Each output as a score for COVID-19 (the paper has no figure)' "$OUT/outputs.csv" \
  --by finding --positive covid --metrics auc
