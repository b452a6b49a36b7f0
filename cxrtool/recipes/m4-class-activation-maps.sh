#!/bin/sh
# id: M4
# name: m4-class-activation-maps
# paper: Majeed et al. 2020 (CNN-X and twelve networks), Figures 4 and 5
# needs: kermany cohen andrewmvd
# cost: full: the 13 trainings of M2, or none of them where OUT is that of M2; small: 2
#   minutes on two cores
#
# The class activation maps (Zhou et al. 2016) of the networks of M2, for images of COVID-19 that
# they find and that they miss. The paper's point: some look at lungs, some at letters and edges.
#
# What the paper does not tell: how it made maps of AlexNet and VGG, for which this method is not
# defined, as they have several layers behind their last maps. Grad-CAM is taken there, and the
# column `method` says so. Our choices: lungs are found by cxrtool's own network, so that how much
# of the heat is in them (in_lung), set against their share of the image (lung_fraction), makes its
# point a number.
# All else: see M2 (cxrtool recipe m2).
#
# Published: pictures, no figures; the table is that of M2.

set -eu
OUT=${OUT:-m4-class-activation-maps}
SCALE=${SCALE:-full}
case $SCALE in
full)
  DATA=${DATA:?is to name the folder of the collections}
  WEIGHTS=imagenet SIZE=auto EPOCHS=20 BATCH=15
  NETWORKS="alexnet googlenet vgg16 vgg19 resnet18 resnet50 resnet101 inception-v3
    inception-resnet-v2 squeezenet densenet201 xception cnn-x"
  ;;
small)
  WEIGHTS=none SIZE=64 EPOCHS=1 BATCH=15
  NETWORKS="squeezenet cnn-x"
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
    s/hospital-1/cohen/g; s/hospital-3/andrewmvd/g
    s/hospital-2/kermany/g; /kermany.*,AP,/s/,,,\([^,]*\)$/,,test,\1/
    /kermany/{ s/,covid,/,bacteria,/; s/,pneumonia,/,virus,/; }' > "$OUT/phantoms.csv"
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

# The published parts of the paediatric images; COVID-19 of one source to learn, of another to test.
# A child's number may stand in both parts: the paper says nothing of that, and split counts it.
# Without the 16 images of the published val, as the paper's numbers are.
gather kermany kermany --map-label virus=viral |
  cxrtool split - --where folder!=val --paper image --test-where folder=test -o "$OUT/kermany.csv"
gather cohen cohen --view PA,AP |
  cxrtool split - --where label=covid --cap covid=111 --val 0 -o "$OUT/cohen.csv"
gather andrewmvd folder --map-label '*=covid' > "$OUT/andrewmvd.csv"
cxrtool ingest "$OUT/kermany.csv" "$OUT/cohen.csv" -o "$OUT/train.csv"
cxrtool ingest "$OUT/kermany.csv" "$OUT/andrewmvd.csv" -o "$OUT/test.csv"

for network in $NETWORKS; do
  run=$OUT/runs/$network weights=$WEIGHTS
  if [ "$network" = cnn-x ]; then
    weights=none
  fi
  cxrtool train "$OUT/train.csv" --where split=train --arch "$network" --weights "$weights" \
    --classes normal,bacteria,viral,covid --freeze none --optimizer adam --lr 0.0003 \
    --epochs "$EPOCHS" --batch "$BATCH" --size "$SIZE" -d "$run"
  cxrtool evaluate "$run" "$OUT/test.csv" --where split!=train -o "$run/test.csv"
done

look() { # right|wrong: the maps of COVID-19 that is predicted so, or is not
  cases=$run/$1.csv
  awk -F, -v "which=$1" 'NR == 1 || ($2 == "covid" && ($8 == "covid") == (which == "right"))' \
    "$run/test.csv" > "$cases"
  if [ "$(wc -l < "$cases")" -gt 1 ]; then
    cxrtool cam "$run" "$cases" --method cam --class predicted --mask auto \
      --grid "$OUT/$network-$1.png" --grid-most 12 -d "$run/maps-$1" -o "$OUT/$network-$1.csv"
  fi
}
for network in $NETWORKS; do
  run=$OUT/runs/$network
  look right
  look wrong
  cxrtool compare "$run/test.csv" --interval normal --metrics error,sensitivity \
    --published "majeed:model=$network,scenario=2" -o "$OUT/tables/$network.md"
  printf '\n%s:\n\n' "$network"
  cat "$OUT/tables/$network.md"
done
