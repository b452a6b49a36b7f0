#!/bin/sh
# id: M4
# name: m4-class-activation-maps
# paper: Majeed et al. 2020 (CNN-X and twelve networks), Figures 4 and 5
# needs: kermany cohen andrewmvd
# cost: full: the 13 trainings of M2, or none of them where OUT is that of M2; small: 2
#   minutes on two cores
#
# The class activation maps (Zhou et al. 2016) of the networks of M2, for images of all four classes
# that they get right (Figure 4) and wrong (Figure 5). The paper's point: some look at lungs, some
# at letters and edges.
#
# What the paper does not say: which images of a class it drew, and how it made maps of AlexNet and
# VGG, for which this method is not defined, as they have several layers behind their last maps.
# Grad-CAM is taken there, and the column `method` says so. It draws ten networks (not ResNet-101,
# Inception-v3 and Xception); here all thirteen.
# Our choices: of each class the first images that are right, and the first that are wrong; the map
# is of the class that is predicted; lungs are found by cxrtool's own network, so that how much of
# the heat is in them (in_lung), set against their share of the image (lung_fraction), makes its
# point a number.
# All else: see M2 (cxrtool recipe m2).
#
# Published: pictures, no figures; the table is that of M2.

# include: preamble s3
case $SCALE in
full)
  WEIGHTS=imagenet SIZE=auto EPOCHS=20 BATCH=15
  EACH=3
  NETWORKS="alexnet googlenet vgg16 vgg19 resnet18 resnet50 resnet101 inception-v3
    inception-resnet-v2 squeezenet densenet201 xception cnn-x"
  ;;
small) WEIGHTS=none SIZE=64 EPOCHS=1 BATCH=15 EACH=2 NETWORKS="squeezenet cnn-x" ;;
esac
phantoms 180 64 normal,pneumonia,covid cohen kermany andrewmvd

four_classes
thirteen_networks normal,bacteria,viral,covid

# The rows of predictions whose prediction is right, or wrong: at most EACH of a class.
some() { # right|wrong PREDICTIONS
  python_on "$2" 'which, most = given
groups = {}
for r in rows:
    if (r["pred"] == r["label"]) == (which == "right"):
        groups.setdefault(r["label"], []).append(r)
show(r for group in groups.values() for r in group[:int(most)])' "$1" "$EACH"
}
look() { # right|wrong
  some "$1" "$run/test.csv" > "$run/$1.csv"
  if [ "$(wc -l < "$run/$1.csv")" -gt 1 ]; then
    cxrtool cam "$run" "$run/$1.csv" --method cam --class predicted --mask auto \
      --grid "$OUT/$network-$1.png" --grid-most 12 -d "$run/maps-$1" -o "$OUT/$network-$1.csv"
  fi
}
for network in $NETWORKS; do
  run=$OUT/runs/$network
  look right
  look wrong
  beside "$network" "$network" "$run/test.csv" --interval normal --metrics error,sensitivity \
    --published "majeed:model=$network,scenario=2"
done
