#!/bin/sh
# id: V1
# name: v1-cvr-net-five-folds
# paper: Hasan et al. 2020 (CVR-Net), Tables 2, 3 and 4, the five tasks of radiographs in folds
# needs: kermany nih ccxri bimcv cohen
# cost: full: all of ChestX-ray14 is read once; 25 trainings of CVR-Net (48 million weights), of at
#   most 200 epochs on up to 7,321 images; small: 2 minutes on two cores
#
# CVR-Net in five folds on five tasks: COVID-19 against all else (CL2), three classes (healthy,
# other pneumonia, COVID-19) and four (bacterial and other viral pneumonia apart). In "Single",
# every class is of one collection: what is not COVID-19 of children (its CXRI, here kermany),
# COVID-19 of Cohen's (CIDC). In "Multiple" come healthy images and pneumonia of ChestX-ray8 (nih)
# and COVID-19 of CCXRI and BIMCV (its PadChest). Three folds are learned from, one is val, one is
# the test, in turn. The paper's point: such figures say little of another hospital (see V2).
#
# What the code did where the paper says otherwise: see V2 (cxrtool recipe v2). Besides, it
# shuffled the images of every class and cut them into five: hence `split --paper image`, which
# counts what leaks.
# Where the paper contradicts itself: recall 0.997 and accuracy 0.998 of CXR-Single-CL2, which
# should be one number; it says that the tasks of Multiple have the same total, which is 12,201 for
# three classes and 11,879 for the others; one row of its Table 4 is printed in another order.
# Our choices: those of V2; how many of the 3,515 images of COVID-19 that are not Cohen's are of
# CCXRI is not told: half. The standard deviation over folds is that with 4 in the denominator; the
# paper does not say which.
#
# Published: accuracy 0.998 (CXR-Single-CL2), 0.984 (CXR-Multiple-CL2), 0.964 (CXR-Single-CL3),
# 0.933 (CXR-Multiple-CL3), 0.882 (CXR-Multiple-CL4), as means of five folds.

# include: preamble s1
case $SCALE in
full)
  WEIGHTS=imagenet SIZE=224 EPOCHS=200 BATCH=8 FOLDS="1 2 3 4 5"
  SCHEDULE=plateau:factor=0.9,patience=11,delta=0.0001 PATIENCE=25 # 12 epochs, as Keras counts
  TASKS="CXR-Single-CL2 CXR-Multiple-CL2 CXR-Single-CL3 CXR-Multiple-CL3 CXR-Multiple-CL4"
  ;;
small)
  WEIGHTS=none SIZE=64 EPOCHS=1 BATCH=8 FOLDS="1 2" TASKS="CXR-Single-CL2 CXR-Multiple-CL4"
  SCHEDULE=none PATIENCE=none
  ;;
esac
phantoms 150 64 normal,pneumonia,covid kermany nih ccxri bimcv cohen

# The healthy and the pneumonia of ChestX-ray8, by the numbers that Table 3 leaves for it.
gather kermany > "$OUT/children.csv"
gather nih --view PA,AP --map-label 'no finding=normal' --map-label normal=normal \
  --map-label '*pneumonia*=pneumonia' --map-label '*=' > "$OUT/nih-all.csv"
some normal 2008 nih-normal < "$OUT/nih-all.csv"
some pneumonia 322 nih-pneumonia < "$OUT/nih-all.csv"
covid_folders 1757 1758
covid_cohen 500

compose() { # TASK: its manifest of five folds
  task=$1
  set -- "$OUT/children.csv"
  case $task in
  *-Multiple-*) set -- "$@" "$OUT/nih-normal.csv" ;;
  esac
  case $task in
  *-Multiple-CL3) set -- "$@" "$OUT/nih-pneumonia.csv" ;;
  esac
  case $task in
  *-CL2)
    set -- "$@" --map-label normal=other --map-label bacteria=other --map-label virus=other
    ;;
  *-CL3) set -- "$@" --map-label bacteria=pneumonia --map-label virus=pneumonia ;;
  esac
  # These alone: the radiograph of a patient with COVID-19 may have the finding `normal` (bimcv).
  cxrtool ingest "$@" -o "$OUT/others-$task.csv"
  set -- "$OUT/others-$task.csv" "$OUT/cohen.csv"
  case $task in
  *-Multiple-*) set -- "$@" "$OUT/ccxri.csv" "$OUT/bimcv.csv" ;;
  esac
  folds "$task" "$@"
}

classes() { # TASK
  case $1 in
  *-CL2) echo other,covid ;;
  *-CL3) echo normal,pneumonia,covid ;;
  *-CL4) echo normal,bacteria,virus,covid ;;
  esac
}

for task in $TASKS; do
  compose "$task"
  in_folds "$task" "$(classes "$task")"
done

for task in $TASKS; do
  set -- "$OUT/runs/$task"/fold-*.csv --pool fold
  case $task in
  *-CL2) set -- "$@" --averages ;;
  *) set -- "$@" --confusion ;; # Table 4
  esac
  beside "$task" "$task" "$@" --metrics sensitivity,precision,accuracy \
    --published "cvr-net:model=CVR-Net,task=$task"
done
