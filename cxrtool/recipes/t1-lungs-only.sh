#!/bin/sh
# id: T1
# name: t1-lungs-only
# paper: Tartaglione et al. 2020 (Unveiling COVID-19 from chest X-ray), section III-B, Figures 1, 2
# needs: montgomery shenzhen corda
# cost: full: one training of a U-Net of 7.8 million weights at 320 pixels; small: 1 minute on two
#   cores
#
# What T3 does to images before a network sees them: the histogram of the whole image is equalised,
# a U-Net that learned lungs from the collections of Montgomery and Shenzhen, equalised alike, finds
# them, its mask is blurred by 3 pixels and the image multiplied by it; nothing is cut off. Grey
# levels of 0 to 1 are for the training to make (`train --normalize unit`, or by the data as T3
# does).
#
# The published code begins behind this step: it reads folders of images that are equalised and
# masked already. Our choices: OpenCV's equalisation; the U-Net of COVID-CXNet's code (32 to 512
# channels) in 50 epochs of Adam, of which that with the highest Dice on val is used; its loss,
# which the paper does not name: the mean cross-entropy of the pixels plus one less the soft Dice; a
# Gaussian of 3 pixels at the size of the image; the collections divided by patient into 80, 10 and
# 10 %. Montgomery has a mask of each lung, and they are joined. Only images of Shenzhen that have a
# mask are used (the paper counts all 662; masks were published for 566 of them).
#
# Published: pictures, no figures, so that there is nothing to compare with. At the end stand the
# medians of Dice and of hd95 (how far the outlines are apart, in pixels) on the test part, by the
# U-Net and by the lung network that comes with cxrtool; image by image they are columns of
# found-by-u-net.csv and found-by-lungs.csv.

# include: preamble
case $SCALE in
full) SIZE=320 EPOCHS=50 BATCH=8 UNET=unet ;;
small) SIZE=64 EPOCHS=4 BATCH=4 UNET=unet:width=8 ;;
esac
phantoms 90 96 normal,pneumonia,covid montgomery shenzhen corda

# A U-Net that learns lungs. Montgomery has a mask of each lung.
if [ "$SCALE" = full ]; then
  set -- --join-masks "$OUT/montgomery-masks"
fi
gather montgomery "$@" > "$OUT/montgomery.csv"
gather shenzhen > "$OUT/shenzhen.csv"
cxrtool ingest "$OUT/montgomery.csv" "$OUT/shenzhen.csv" |
  cxrtool split - --where mask!= --test 0.1 --val 0.1 --seed 42 -o "$OUT/split.csv"
cxrtool equalize "$OUT/split.csv" --method hist -d "$OUT/equalized-masks" -o "$OUT/masks.csv"
cxrtool train "$OUT/masks.csv" --task segment --arch "$UNET" --optimizer adam --lr 0.001 \
  --epochs "$EPOCHS" --batch "$BATCH" --size "$SIZE" --monitor dice --seed 42 -d "$OUT/u-net"
for model in "$OUT/u-net" lungs; do
  name=$(basename "$model")
  cxrtool segment "$OUT/masks.csv" --where split=test --model "$model" --keep mask \
    -d "$OUT/found-by-$name" -o "$OUT/found-by-$name.csv"
done

# CORDA as T3's networks see it.
gather corda > "$OUT/corda-all.csv"
cxrtool equalize "$OUT/corda-all.csv" --method hist -d "$OUT/equalized" -o "$OUT/equalized.csv"
cxrtool segment "$OUT/equalized.csv" --model "$OUT/u-net" --keep lungs --blur gaussian:3 \
  -d "$OUT/lungs" -o "$OUT/corda.csv"

median() { # COLUMN FILE
  python_on "$2" 'import statistics
values = [float(r[given[0]]) for r in rows if r.get(given[0])]
print(f"{statistics.median(values):.6g}" if values else "")' "$1"
}

printf '\nMasks of the test part:\n\n| model | Dice | hd95 |\n|---|---|---|\n'
for name in u-net lungs; do
  found=$OUT/found-by-$name.csv
  printf '| %s | %s | %s |\n' "$name" "$(median dice "$found")" "$(median hd95 "$found")"
done
