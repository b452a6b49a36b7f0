#!/bin/sh
# id: T8
# name: t8-features-by-dataset
# paper: Tartaglione et al. 2020 (Unveiling COVID-19 from chest X-ray), Figure 3
# needs: corda kermany rsna
# cost: full: two trainings of a ResNet-18, of 150 and 100 epochs; small: 2 minutes on two cores
#
# What the encoder that does best in T3 makes of images, laid out in a plane and coloured by data
# set: (a) ChestXRay and CORDA, which it learned from, lie apart; (b) RSNA and CORDA lie mixed. A
# network that tells the data sets apart need not know the disease.
#
# The paper says neither which images it drew nor how; the code has no t-SNE. Our choices: the test
# rows, the last feature maps averaged (512 numbers an image), brought to 50 principal components
# first, perplexity 30, seed 42, and the weights of the best epoch (the table has the last). A
# picture persuades easily, so cxrtool tsne adds how well a linear probe tells the sources apart.
# All else, and what the code did: see T3 (cxrtool recipe t3).
#
# Published: no figure of the picture; the table is of the same encoder, on CORDA&ChestXRay:
# balanced accuracy 0.91, odds ratio 122.67.

# include: preamble s0
case $SCALE in
full)
  WEIGHTS=imagenet SIZE=224 CHESTXRAY_EPOCHS=150 EPOCHS=100 PERPLEXITY=30 PERMUTATIONS=200
  SCHEDULE=plateau:factor=0.1,patience=15
  ;;
small)
  WEIGHTS=none SIZE=32 CHESTXRAY_EPOCHS=1 EPOCHS=2 PERPLEXITY=5 PERMUTATIONS=20
  SCHEDULE=none
  ;;
esac
phantoms 180 64 normal,pneumonia,covid corda kermany rsna

corda_parts | prepare corda
kermany_parts | prepare kermany
rsna_parts | prepare rsna
merge "$OUT/corda.csv" "$OUT/kermany.csv" "$OUT/rsna.csv" > "$OUT/all.csv"
compose 'CORDA&ChestXRay' borrow=kermany "$OUT/corda.csv" "$OUT/kermany.csv"

first_training kermany tartaglione-resnet18 "$OUT/first"
second_training "$OUT/CORDA&ChestXRay.csv" tartaglione-resnet18 "$OUT/first:last" "$OUT/encoder"

draw() { # NAME SOURCES
  cxrtool tsne "$OUT/encoder" "$OUT/all.csv" --where split=test --where "source=$2" --layer map \
    --color source --perplexity "$PERPLEXITY" --permutations "$PERMUTATIONS" --seed 42 \
    --plot "$OUT/$1.png" --stats "$OUT/$1.json" -o "$OUT/$1.csv"
}
draw a-chestxray-corda kermany,corda
draw b-rsna-corda rsna,corda

predict "$OUT/encoder" "$OUT/all.csv" "$OUT/test.csv" --where source=corda,kermany
tested encoder 'The encoder, tested on CORDA&ChestXRay' "$OUT/test.csv" --published \
  'tartaglione:model=resnet18,pretrained=ChestXRay,train=CORDA&ChestXRay,test=CORDA&ChestXRay'
