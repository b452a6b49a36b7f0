# 572 images of each class in eleven folds of 52, of which the eleventh is reserved.
eleven_folds() {
  gather prashant268 |
    cxrtool split - --paper image --cap label=572 --folds 10 --unseen 1/11 -o "$OUT/folds.csv"
}

# Copies of the images that are learned from: turned, enlarged, sheared.
copies() {
  for move in rotate=5 scale=1.02 shear=2; do
    cxrtool equalize "$OUT/folds.csv" --where split=train --method none --move "$move" \
      -d "$OUT/copies/$move" -o "$OUT/$move.csv"
  done
  cxrtool ingest "$OUT/rotate=5.csv" "$OUT/scale=1.02.csv" "$OUT/shear=2.csv" -o "$OUT/copies.csv"
}

# The folds, and of the copies of those that are learned from so many of each class.
augmented() { # FOLD COPIES
  cxrtool split "$OUT/copies.csv" --where "fold!=$1" --paper image --cap "label=$2" --val 0 \
    --test 0 --seed "$1" -o "$OUT/copies-$1.csv"
  cxrtool ingest "$OUT/folds.csv" "$OUT/copies-$1.csv" -o "$OUT/augmented-$1.csv"
}

learn() { # MANIFEST FOLD RUN OPTIONS...: from the nine other folds; none is kept for a val
  manifest=$1 fold=$2 run=$3
  shift 3
  cxrtool train "$manifest" --where split=train --where "fold!=$fold" \
    --classes covid,normal,pneumonia --weights "$WEIGHTS" --optimizer adam:eps=1e-7 \
    --epochs "$EPOCHS" --batch "$BATCH" --size "$SIZE" -d "$run" "$@"
}

# The paper's network: all of it is fixed, but for the last layer.
densenet() { # MANIFEST FOLD RUN
  learn "$@" --arch densenet121 --freeze backbone --lr 0.001 \
    --schedule "$SCHEDULE" --normalize imagenet
}

on_its_fold() { # NAME FOLD: the run NAME/fold-FOLD on the fold that is its test
  cxrtool evaluate "$OUT/runs/$1/fold-$2" "$OUT/folds.csv" --where "fold=$2" \
    -o "$OUT/tests/$1-$2.csv"
}

on_the_reserved() { # NAME FOLD
  cxrtool evaluate "$OUT/runs/$1/fold-$2" "$OUT/folds.csv" --where split=unseen \
    -o "$OUT/unseen/$1-$2.csv"
}
