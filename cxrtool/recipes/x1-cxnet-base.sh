#!/bin/sh
# id: X1
# name: x1-cxnet-base
# paper: Haghanifar et al. 2020 (COVID-CXNet), section 5.1, Tables 1 and 6
# needs: armiro kermany actualmed
# cost: full: three trainings of a small network, of 100 epochs; small: 1 minute on two cores
#
# The base model, version 1: five convolutions, trained on 300, 450 and 600 images, half of them of
# COVID-19 in adults, half of healthy children; then tested on 60 images of others. Nearly all of
# the test part is right, and a fifth of the 60 wrong: children are told from adults.
#
# What the code did where the paper is silent or says otherwise:
# - The paper says that all kernels are 3 x 3; the first is 5 x 5 (60,035 weights).
# - Its checkpoints were trained at 300 or 400 pixels, of one channel or three; its script takes
#   three of 320: raw, BEASF, CLAHE, in this order (the notebooks and the paper: BEASF first).
# - One image in five was held out, image by image, and chose the epoch as well as being the test:
#   hence `split --paper image --val 0.2`, and that val is what is judged. It flatters.
# - A learning rate of 1e-4 by a range test (`train --lr find`); its default was 1e-3. Scores were
#   rounded to two decimals before 0.5 was asked for; here they are not.
# Our choices: equally many images of both classes; the 60 others, whose origin the paper does not
# tell, are 30 and 30 of Actualmed, which are adults of one hospital.
#
# Published: 96.72 % (59 of 61), 96.10 % (74 of 77, which a test part of 120 does not allow), and
# 80 % on the 60 others, of which the F-score of 0.82 is (27 of 30 and 21 of 30 are right).

set -eu
OUT=${OUT:-x1-cxnet-base}
SCALE=${SCALE:-full}
case $SCALE in
full)
  DATA=${DATA:?is to name the folder of the collections}
  SIZE=320 EPOCHS=100 BATCH=32 OTHERS=30
  SIZES="150 225 300"
  ;;
small)
  SIZE=96 EPOCHS=2 BATCH=8 OTHERS=5
  SIZES="20"
  ;;
*)
  echo "SCALE=$SCALE is neither full nor small" >&2
  exit 2
  ;;
esac
mkdir -p "$OUT/tables"

# In a small run, three hospitals of phantoms stand in for the collections.
if [ "$SCALE" = small ]; then
  cxrtool phantom 150 -d "$OUT/phantoms" --sources 3 --size 96 --labels normal,covid | sed '
    s/hospital-1/armiro/g; s/hospital-2/kermany/g; s/hospital-3/actualmed/g' > "$OUT/phantoms.csv"
fi

gather() { # COLLECTION PRESET OPTIONS...: its manifest
  name=$1 preset=$2
  shift 2
  if [ "$SCALE" = full ]; then
    # It exits with 1 where some files are damaged or absent, which it has said.
    cxrtool ingest "$DATA/$name" --preset "$preset" --source "$name" "$@" || [ $? -eq 1 ]
  else
    sed -n "1p; /,$name,/p" "$OUT/phantoms.csv" | cxrtool ingest - "$@"
  fi
}

stack() { # NAME: three channels
  cxrtool equalize --method stack:channels=raw+beasf+clahe,gamma=1.5,clip=2,tiles=8 \
    --size "$SIZE" --interpolation cubic -d "$OUT/stacks" -o "$OUT/$1.csv"
}

# The authors' own images of COVID-19, healthy children, and 60 of neither.
gather armiro folder --map-label 'covid*=covid' --map-label '*=' > "$OUT/covid.csv"
gather kermany kermany --map-label normal=normal --map-label '*=' > "$OUT/children.csv"
gather actualmed actualmed --map-label covid=covid --map-label normal=normal |
  cxrtool split - --cap "label=$OTHERS" --val 0 | stack others
cxrtool ingest "$OUT/covid.csv" "$OUT/children.csv" -o "$OUT/both.csv"

for size in $SIZES; do
  cxrtool split "$OUT/both.csv" --paper image --cap "label=$size" --val 0.2 --seed 18 |
    stack "$size-a-class"
  run=$OUT/runs/$size-a-class
  cxrtool train "$OUT/$size-a-class.csv" --arch cxnet-base --classes normal,covid \
    --class-weights balanced --optimizer adam --lr 0.0001 --epochs "$EPOCHS" --batch "$BATCH" \
    --size "$SIZE" --normalize unit --augment rotate=90,hflip=0.5,vflip=0.5 --seed 18 -d "$run"
  cxrtool evaluate "$run" "$OUT/$size-a-class.csv" --where split=val -o "$run/val.csv"
  cxrtool evaluate "$run" "$OUT/others.csv" -o "$run/others.csv"
done

beside() { # PART TITLE: of all the sizes, and the paper's figures
  cxrtool compare "$OUT"/runs/*/"$1.csv" --positive covid \
    --metrics accuracy,f1,sensitivity,specificity --published 'covid-cxnet:model=Base Model v1' \
    -o "$OUT/tables/$1.md"
  printf '\n%s:\n\n' "$2"
  cat "$OUT/tables/$1.md"
}
beside val 'The images held out, which also chose the epoch'
beside others 'Images of others; the paper has 80 % of 60'
