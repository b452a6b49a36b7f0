# The published parts of the paediatric images, and COVID-19 of one source to learn from and of
# another to be tested on. The number of a child may occur in both parts: the paper says nothing of
# that, and split counts it. Without the 16 images of the published val, as in the paper's numbers.
four_classes() { # at most MOST to learn from of each class of children, if MOST is set
  gather kermany --map-label virus=viral > "$OUT/kermany-all.csv"
  cxrtool split "$OUT/kermany-all.csv" --where folder!=val --paper image --test-where folder=test \
    ${MOST:+--cap "label=$MOST"} -o "$OUT/kermany.csv"
  gather cohen --view PA,AP |
    cxrtool split - --where label=covid --cap covid=111 --val 0 -o "$OUT/cohen.csv"
  gather andrewmvd --map-label '*covid*=covid' --map-label '*=' --cap covid=73 \
    > "$OUT/andrewmvd.csv"
  # In one manifest, so that evaluate counts what is tested on and was learned from as well.
  cxrtool ingest "$OUT/kermany.csv" "$OUT/cohen.csv" "$OUT/andrewmvd.csv" -o "$OUT/images.csv"
}

# Every network learns on the rows of train and is tested on the published test and on andrewmvd's.
thirteen_networks() { # CLASSES
  for network in $NETWORKS; do
    run=$OUT/runs/$network weights=$WEIGHTS
    if [ "$network" = cnn-x ]; then
      weights=none
    fi
    cxrtool train "$OUT/images.csv" --where split=train --arch "$network" --weights "$weights" \
      --classes "$1" --freeze none --optimizer adam --lr 0.0003 --epochs "$EPOCHS" \
      --batch "$BATCH" --size "$SIZE" -d "$run"
    cxrtool evaluate "$run" "$OUT/images.csv" --where "label=$1" --where 'split!=train' \
      -o "$run/test.csv"
  done
}
