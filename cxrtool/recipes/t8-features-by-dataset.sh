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
# rows, the last feature maps averaged (512 numbers an image), perplexity 30, seed 42. A picture
# persuades easily, so cxrtool tsne adds how well a linear probe tells the sources apart.
# All else, and what the code did: see T3 (cxrtool recipe t3).
#
# Published: no figure of the picture; the table is of the same encoder, on CORDA&ChestXRay:
# balanced accuracy 0.91, odds ratio 122.67.

set -eu
OUT=${OUT:-t8-features-by-dataset}
SCALE=${SCALE:-full}
case $SCALE in
full)
  DATA=${DATA:?is to name the folder of the collections}
  WEIGHTS=imagenet SIZE=224 FIRST_EPOCHS=150 EPOCHS=100 PERPLEXITY=30 PERMUTATIONS=200
  SCHEDULE=plateau:factor=0.1,patience=15
  ;;
small)
  WEIGHTS=none SIZE=32 FIRST_EPOCHS=1 EPOCHS=2 PERPLEXITY=5 PERMUTATIONS=20
  SCHEDULE=none
  ;;
*)
  echo "SCALE=$SCALE is neither full nor small" >&2
  exit 2
  ;;
esac
mkdir -p "$OUT/tables"

# In a small run, three hospitals of phantoms stand in for the collections.
if [ "$SCALE" = small ]; then
  cxrtool phantom 180 -d "$OUT/phantoms" --sources 3 --size 64 | sed '
    s/hospital-1/corda/g; s/hospital-2/kermany/g; s/hospital-3/rsna/g
    /kermany/{ s/,covid,/,bacteria,/; s/,pneumonia,/,virus,/; }
    /kermany.*,AP,/s/,,,\([^,]*\)$/,,test,\1/' > "$OUT/phantoms.csv"
fi

gather() { # COLLECTION OPTIONS...: its manifest
  name=$1
  shift
  if [ "$SCALE" = full ]; then
    # It exits with 1 where some files are damaged or absent, which it has said.
    cxrtool ingest "$DATA/$name" --preset "$name" "$@" || [ $? -eq 1 ]
  else
    sed -n "1p; /,$name,/p" "$OUT/phantoms.csv" | cxrtool ingest - "$@"
  fi
}

part() { # OPTIONS...: image by image, as the code did
  cxrtool split - --paper image --seed 42 "$@"
}

prepare() { # NAME: equalised, and all but the lungs blacked out
  cxrtool equalize - --method hist -d "$OUT/equalized" -o "$OUT/$1-equalized.csv"
  cxrtool segment "$OUT/$1-equalized.csv" --keep lungs --blur 3 -d "$OUT/lungs" -o "$OUT/$1.csv"
}

merge() { # MANIFEST...: joined, of two classes
  cxrtool ingest "$@" --map-label healthy=negative --map-label normal=negative \
    --map-label bacteria=negative --map-label virus=negative --map-label pneumonia=negative
}

gather corda --map-label normal=negative --map-label other=negative \
  --map-label pneumonia=negative > "$OUT/corda-all.csv"
part --cap covid=297 --cap negative=150 --test 135/447 --val 63/447 < "$OUT/corda-all.csv" |
  prepare corda
gather kermany |
  part --test-where folder=test --cap label=1349 --val 349/1349 | prepare kermany
gather rsna --map-label normal=healthy --map-label other=healthy --map-label covid=healthy |
  part --cap label=3000 --test 0.3 --val 0.14 | prepare rsna
merge "$OUT/corda.csv" "$OUT/kermany.csv" "$OUT/rsna.csv" > "$OUT/all.csv"
part --where source=corda,kermany --test-where split=test --val 63/312 \
  --balance borrow=kermany -o "$OUT/joined.csv" < "$OUT/all.csv"

train() { # MANIFEST OPTIONS...: what all trainings share
  manifest=$1
  shift
  cxrtool train "$manifest" --optimizer sgd:decay=0.001 --schedule "$SCHEDULE" \
    --size "$SIZE" --fit crop --normalize dataset --seed 42 "$@"
}

train "$OUT/kermany.csv" --arch tartaglione-resnet18:head=linear --weights "$WEIGHTS" --loss ce \
  --lr 0.01 --epochs "$FIRST_EPOCHS" --batch 10 --augment shift-y=0.1,scale=1..1.1 \
  -d "$OUT/first"
train "$OUT/joined.csv" --arch tartaglione-resnet18 --classes negative,covid \
  --weights "$OUT/first" --loss focal:gamma=2 --lr 0.1 --epochs "$EPOCHS" --batch 4 \
  --augment hflip=0.2,rotate=1,shift-y=0.1,scale=1..1.1 -d "$OUT/encoder"

draw() { # NAME SOURCES
  cxrtool tsne "$OUT/encoder" "$OUT/all.csv" --where split=test --where "source=$2" --layer map \
    --color source --perplexity "$PERPLEXITY" --permutations "$PERMUTATIONS" --seed 42 \
    --plot "$OUT/$1.png" --stats "$OUT/$1.json" -o "$OUT/$1.csv"
}
draw a-chestxray-corda kermany,corda
draw b-rsna-corda rsna,corda

cxrtool evaluate "$OUT/encoder" "$OUT/all.csv" --where split=test \
  --where source=corda,kermany -o "$OUT/test.csv"
cxrtool compare "$OUT/test.csv" --positive covid \
  --metrics sensitivity,specificity,f1,accuracy,balanced_accuracy,auc,dor --published \
  'tartaglione:model=resnet18,pretrained=ChestXRay,train=CORDA&ChestXRay,test=CORDA&ChestXRay' \
  -o "$OUT/tables/encoder.md"
cat "$OUT/tables/encoder.md"
