# The collections, each with the paper's number of images, divided image by image as the code did.
divide() { # OPTIONS...
  cxrtool split - --paper image --seed 42 "$@"
}

corda_parts() {
  gather corda --map-label normal=negative --map-label other=negative \
    --map-label pneumonia=negative |
    divide --cap covid=297 --cap negative=150 --test 135/447 --val 63/447
}

kermany_parts() {
  gather kermany | divide --test-where folder=test --cap label=1349 --val 349/1349
}

# Phantoms alone have COVID-19 there.
rsna_parts() {
  gather rsna --map-label normal=healthy --map-label other=healthy --map-label covid=healthy |
    divide --cap label=3000 --test 0.3 --val 0.14
}

# Its test is a fixed list of 10 and 5, which is no share of 108 and 29: each class has its own.
cohen_parts() {
  gather cohen --view PA --map-label normal=negative --map-label pneumonia=negative \
    --map-label tuberculosis=negative > "$OUT/cohen-all.csv"
  divide --where label=covid --cap covid=108 --test 10/108 < "$OUT/cohen-all.csv" \
    > "$OUT/cohen-covid.csv"
  divide --where label=negative --cap negative=29 --test 5/29 < "$OUT/cohen-all.csv" \
    > "$OUT/cohen-negative.csv"
  cxrtool ingest "$OUT/cohen-covid.csv" "$OUT/cohen-negative.csv"
}

prepare() { # NAME: equalised, and everything but the lungs made black
  cxrtool equalize - --method hist -d "$OUT/equalized" -o "$OUT/$1-equalized.csv"
  cxrtool segment "$OUT/$1-equalized.csv" --keep lungs --blur 3 -d "$OUT/lungs" -o "$OUT/$1.csv"
}

merge() { # MANIFEST...: joined, of two classes
  cxrtool ingest "$@" --map-label healthy=negative --map-label normal=negative \
    --map-label bacteria=negative --map-label virus=negative --map-label pneumonia=negative
}

# A set of Table I: CORDA's test rows stay what they are, the others are divided again.
compose() { # NAME BALANCE MANIFEST...
  set=$1 balance=$2
  shift 2
  merge "$@" |
    divide --test-where split=test --val 63/312 ${balance:+--balance "$balance"} -o "$OUT/$set.csv"
}

learn() { # MANIFEST OPTIONS...: what all trainings share
  manifest=$1
  shift
  cxrtool train "$manifest" --optimizer sgd:decay=0.001 --schedule "$SCHEDULE" \
    --size "$SIZE" --fit crop --normalize dataset --seed 42 "$@"
}

# The first training, on pneumonia: from ImageNet, of which a grey network keeps the red.
first_training() { # COLLECTION ARCHITECTURE RUN
  case $1 in
  kermany) rate=0.01 epochs=$CHESTXRAY_EPOCHS ;;
  rsna) rate=0.1 epochs=$RSNA_EPOCHS ;;
  esac
  learn "$OUT/$1.csv" --arch "$2:head=linear" --weights "$WEIGHTS" --loss ce --lr "$rate" \
    --epochs "$epochs" --batch 10 --augment shift-y=0.1,scale=1..1.1,fill=constant -d "$3"
}

second_training() { # MANIFEST ARCHITECTURE WEIGHTS RUN: on COVID-19
  learn "$1" --arch "$2" --classes negative,covid --weights "$3" --loss focal:gamma=2 \
    --lr "${COVID_RATE:-0.1}" --epochs "$EPOCHS" --batch 4 \
    --augment hflip=0.2,rotate=1,shift-y=0.1,scale=1..1.1,fill=constant -d "$4"
}

# The code tests, and goes on from, the weights of the last epoch.
predict() { # RUN MANIFEST OUTPUT OPTIONS...
  run=$1 manifest=$2 predictions=$3
  shift 3
  cxrtool evaluate "$run" "$manifest" --where split=test --epoch last -o "$predictions" "$@"
}

four_collections() {
  corda_parts | prepare corda
  kermany_parts | prepare kermany
  rsna_parts | prepare rsna
  cohen_parts | prepare cohen
  merge "$OUT/corda.csv" "$OUT/kermany.csv" "$OUT/rsna.csv" "$OUT/cohen.csv" > "$OUT/all.csv"
}

five_sets() {
  compose CORDA under "$OUT/corda.csv"
  compose 'CORDA&ChestXRay' borrow=kermany "$OUT/corda.csv" "$OUT/kermany.csv"
  compose 'CORDA&RSNA' borrow=rsna "$OUT/corda.csv" "$OUT/rsna.csv"
  compose 'CORDA&COVID-ChestXRay' under "$OUT/corda.csv" "$OUT/cohen.csv"
  compose 'COVID-ChestXRay' '' "$OUT/cohen.csv"
}

# Every first training, each followed by the second on every set, tested on all test images.
cross_dataset() { # ARCHITECTURE
  for before in $BEFORE; do
    weights=$OUT/first/$before:last
    case $before in
    none) weights=none ;;
    ChestXRay) first_training kermany "$1" "$OUT/first/$before" ;;
    RSNA) first_training rsna "$1" "$OUT/first/$before" ;;
    esac
    for set in CORDA 'CORDA&ChestXRay' 'CORDA&RSNA' 'CORDA&COVID-ChestXRay' COVID-ChestXRay; do
      run=$OUT/runs/$before/$set
      second_training "$OUT/$set.csv" "$1" "$weights" "$run"
      predict "$run" "$OUT/all.csv" "$run/test.csv"
    done
  done
}

# With the metrics of Tables II to IV.
tested() { # NAME TITLE OPTIONS...
  beside "$@" --positive covid \
    --metrics sensitivity,specificity,f1,accuracy,balanced_accuracy,auc,dor
}

four_tests() { # MODEL: a table for every first training and test
  for before in $BEFORE; do
    for test in CORDA=corda 'CORDA&ChestXRay=corda,kermany' 'CORDA&RSNA=corda,rsna' \
      'CORDA&COVID-ChestXRay=corda,cohen'; do
      sources=${test#*=} test=${test%%=*}
      tested "$before-$test" "First $before, tested on $test" \
        "$OUT/runs/$before"/*/test.csv --where "source=$sources" \
        --published "tartaglione:model=$1,pretrained=$before,test=$test"
    done
  done
}
