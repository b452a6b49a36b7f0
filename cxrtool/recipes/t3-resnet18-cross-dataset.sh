#!/bin/sh
# id: T3
# name: t3-resnet18-cross-dataset
# paper: Tartaglione et al. 2020 (Unveiling COVID-19 from chest X-ray), Tables I and II
# needs: corda kermany rsna cohen
# cost: full: 17 trainings of a ResNet-18, of 100 to 160 epochs each; small: 2 minutes on two cores
#
# ResNet-18 is first trained on pneumonia (not at all, on ChestXRay, or on RSNA), then on five sets
# with COVID-19, and each run is tested on four. The sets that CORDA is joined with lend it images
# without COVID-19. The paper's point: what a run scores depends on where the lent images are from.
#
# What the code did where the paper is silent or says otherwise:
# - It divided images, not patients, though the paper asks for other patients in the test: hence
#   `split --paper image`, which counts what leaks. `--group patient` is the sound way.
# - Table I prints lent test sets as large as CORDA's (90 + 90 images); Tables II and III fit the
#   whole test part of the other set only (90 + 669 with ChestXRay, 90 + 1845 with RSNA), so that is
#   what is tested here. Those of Table I are the test rows of the composed manifests.
# - Images were brought to 256, the middle 224 taken: `--fit crop`. They were then normalised by
#   means of CORDA and of the first training's images; here, by those of what is trained on.
# - Figures are of the last epoch; here they are of the epoch of the lowest loss on val.
# - Its first training applied the softmax twice; here once (--loss double-softmax does as it did).
# Our choices: equalisation, lung network and blur are not specified in print (see T1); labels come
# from any later release, capped to the paper's numbers of images; which ones it took is unknown.
# RSNA's weight decay and batch are those of ChestXRay.
#
# Published: with RSNA first, trained and tested on CORDA: balanced accuracy 0.67, odds ratio 4.78;
# with ChestXRay first, trained and tested on CORDA&ChestXRay: 0.91 and 122.67.

set -eu
OUT=${OUT:-t3-resnet18-cross-dataset}
SCALE=${SCALE:-full}
case $SCALE in
full)
  DATA=${DATA:?is to name the folder of the collections}
  WEIGHTS=imagenet SIZE=224 FIRST_EPOCHS=150 RSNA_EPOCHS=160 EPOCHS=100
  SCHEDULE=plateau:factor=0.1,patience=15
  BEFORE="none ChestXRay RSNA"
  ;;
small)
  WEIGHTS=none SIZE=32 FIRST_EPOCHS=1 RSNA_EPOCHS=1 EPOCHS=1
  SCHEDULE=none
  BEFORE="ChestXRay"
  ;;
*)
  echo "SCALE=$SCALE is neither full nor small" >&2
  exit 2
  ;;
esac
mkdir -p "$OUT/tables"

# In a small run, four hospitals of phantoms stand in for the collections.
if [ "$SCALE" = small ]; then
  cxrtool phantom 200 -d "$OUT/phantoms" --sources 4 --size 64 | sed '
    s/hospital-1/corda/g; s/hospital-2/kermany/g; s/hospital-3/rsna/g; s/hospital-4/cohen/g
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

# The four collections, each with the paper's numbers of images and its own parts.
gather corda --map-label normal=negative --map-label other=negative \
  --map-label pneumonia=negative > "$OUT/corda-all.csv"
part --cap covid=297 --cap negative=150 --test 135/447 --val 63/447 < "$OUT/corda-all.csv" |
  prepare corda
gather kermany |
  part --test-where folder=test --cap label=1349 --val 349/1349 | prepare kermany
gather rsna --map-label normal=healthy --map-label other=healthy --map-label covid=healthy |
  part --cap label=3000 --test 0.3 --val 0.14 | prepare rsna
gather cohen --map-label normal=negative --map-label pneumonia=negative \
  --map-label tuberculosis=negative > "$OUT/cohen-all.csv"
# Its test is a fixed list of 10 and 5, which is no share of 108 and 29: each class has its own.
part --where label=covid --cap covid=108 --test 10/108 < "$OUT/cohen-all.csv" | prepare cohen-covid
part --where label=negative --cap negative=29 --test 5/29 < "$OUT/cohen-all.csv" |
  prepare cohen-negative
cxrtool ingest "$OUT/cohen-covid.csv" "$OUT/cohen-negative.csv" -o "$OUT/cohen.csv"

train() { # MANIFEST OPTIONS...: what all trainings share
  manifest=$1
  shift
  cxrtool train "$manifest" --optimizer sgd:decay=0.001 --schedule "$SCHEDULE" \
    --size "$SIZE" --fit crop --normalize dataset --seed 42 "$@"
}

first() { # MANIFEST RATE EPOCHS RUN: from ImageNet, of which a grey network keeps the red
  train "$OUT/$1.csv" --arch tartaglione-resnet18:head=linear --weights "$WEIGHTS" --loss ce \
    --lr "$2" --epochs "$3" --batch 10 --augment shift-y=0.1,scale=1..1.1 -d "$OUT/first/$4"
}

merge() { # MANIFEST...: joined, of two classes
  cxrtool ingest "$@" --map-label healthy=negative --map-label normal=negative \
    --map-label bacteria=negative --map-label virus=negative --map-label pneumonia=negative
}

# The sets of Table I: CORDA's test rows stay what they are, the rest is divided again.
join() { # NAME BALANCE MANIFEST...
  name=$1 balance=$2
  shift 2
  merge "$@" |
    part --test-where split=test --val 63/312 ${balance:+--balance "$balance"} -o "$OUT/$name.csv"
}
join CORDA under "$OUT/corda.csv"
join 'CORDA&ChestXRay' borrow=kermany "$OUT/corda.csv" "$OUT/kermany.csv"
join 'CORDA&RSNA' borrow=rsna "$OUT/corda.csv" "$OUT/rsna.csv"
join 'CORDA&COVID-ChestXRay' under "$OUT/corda.csv" "$OUT/cohen.csv"
join 'COVID-ChestXRay' '' "$OUT/cohen.csv"
merge "$OUT/corda.csv" "$OUT/kermany.csv" "$OUT/rsna.csv" "$OUT/cohen.csv" > "$OUT/all.csv"

for before in $BEFORE; do
  weights=$OUT/first/$before
  case $before in
  none) weights=none ;;
  ChestXRay) first kermany 0.01 "$FIRST_EPOCHS" "$before" ;;
  RSNA) first rsna 0.1 "$RSNA_EPOCHS" "$before" ;;
  esac
  for set in CORDA 'CORDA&ChestXRay' 'CORDA&RSNA' 'CORDA&COVID-ChestXRay' COVID-ChestXRay; do
    run=$OUT/runs/$before/$set
    train "$OUT/$set.csv" --arch tartaglione-resnet18 --classes negative,covid \
      --weights "$weights" --loss focal:gamma=2 --lr 0.1 --epochs "$EPOCHS" --batch 4 \
      --augment hflip=0.2,rotate=1,shift-y=0.1,scale=1..1.1 -d "$run"
    cxrtool evaluate "$run" "$OUT/all.csv" --where split=test -o "$run/test.csv"
  done
done

# Table II: the five sets of training on each of the four tests, and the paper's figures.
beside() { # TEST SOURCES
  table=$OUT/tables/$before-$1.md
  cxrtool compare "$OUT/runs/$before"/*/test.csv --where "source=$2" --positive covid \
    --metrics sensitivity,specificity,f1,accuracy,balanced_accuracy,auc,dor \
    --published "tartaglione:model=resnet18,pretrained=$before,test=$1" -o "$table"
  printf '\nFirst %s, tested on %s:\n\n' "$before" "$1"
  cat "$table"
}
for before in $BEFORE; do
  beside CORDA corda
  beside 'CORDA&ChestXRay' corda,kermany
  beside 'CORDA&RSNA' corda,rsna
  beside 'CORDA&COVID-ChestXRay' corda,cohen
done
