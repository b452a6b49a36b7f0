#!/bin/sh
# id: V3
# name: v3-cvr-net-slices
# paper: Hasan et al. 2020 (CVR-Net), the three tasks of CT slices in Tables 1 and 2, Figure 2
# needs: scov mgc ccii ictcf
# cost: full: 11 trainings of CVR-Net (48 million weights), of at most 200 epochs on up to 18,471
#   images; small: 2 minutes on two cores
#
# V1 and V2 on CT slices: CVR-Net tells COVID-19 from all else. CT-Single-CL2 has both classes of
# one collection (scov), CT-Multiple-CL2 of three (scov, mgc, ccii), in five folds. In
# CT-Independent-CL2 it learns from mgc, ccii and ictcf and is tested on scov. The paper's point is
# that of the radiographs: in folds it is right in 0.97, of a strange collection in 0.80. Then
# Grad-CAM of COVID-19 for the three slices of the test of which CVR-Net is surest (Figure 2).
#
# What the code did where the paper says otherwise: see V1 and V2 (cxrtool recipe v1). Besides:
# - Slices are divided one by one in folds, and those of a patient are much alike. Patients of scov
#   and ictcf are not known, so that this cannot be avoided; `split --paper image` counts the rest.
# Where the paper contradicts itself: the numbers of CT-Multiple-CL2 are those of CXR-Multiple-CL2,
# to the last image; its text has 87 to 96 % for the folds, its Table 2 has 96.9 and 97.6.
# Our choices: those of V2 and V5 (cxrtool recipe v5); of Figure 2, Inception-v3 is left out, and
# how much of the heat is in the lungs is not measured, as cxrtool finds lungs in radiographs only.
# Of scov, which has 1,229 slices without COVID-19, 1,227 are drawn; how many slices are of which
# other collection is not stated. Here all of mgc are taken (397 without COVID-19, 349 with it) and
# all of ictcf that show lung (9,979 and 4,001); ccii gives what lacks: 6,240 without COVID-19, in
# both tasks, and 2,414 or 2,122 with it. Of patients with pneumonia, ccii gives slices with a
# lesion only. The collections are pictures of a window that is not stated, so that no other can be
# chosen.
#
# Published: accuracy 0.976 (CT-Single-CL2) and 0.969 (CT-Multiple-CL2), as means of five folds, and
# 0.799 (CT-Independent-CL2) on 1,227 and 1,252 slices.

# include: preamble s1
case $SCALE in
full)
  WEIGHTS=imagenet SIZE=224 EPOCHS=200 BATCH=8 FOLDS="1 2 3 4 5"
  SCHEDULE=plateau:factor=0.9,patience=11,delta=0.0001 PATIENCE=25 # 12 epochs, as Keras counts
  ;;
small)
  WEIGHTS=none SIZE=64 EPOCHS=1 BATCH=8 FOLDS="1 2"
  SCHEDULE=none PATIENCE=none
  ;;
esac
slices 48 64 normal,pneumonia,covid scov mgc ccii ictcf

two_classes() { # N-OF-OTHERS N-OF-COVID NAME: at most so many
  cxrtool split - --cap "other=$1" --cap "covid=$2" --val 0 -o "$OUT/$3.csv"
}

gather scov --map-label negative=other | two_classes 1227 1252 scov
gather mgc --map-label negative=other | two_classes 397 349 mgc
gather ictcf --map-label negative=other | two_classes 9979 4001 ictcf
gather ccii:slices=lesion --map-label normal=other --map-label pneumonia=other > "$OUT/ccii.csv"
two_classes 6240 2414 ccii-multiple < "$OUT/ccii.csv"
two_classes 6240 2122 ccii-independent < "$OUT/ccii.csv"

folds CT-Single-CL2 "$OUT/scov.csv"
folds CT-Multiple-CL2 "$OUT/scov.csv" "$OUT/mgc.csv" "$OUT/ccii-multiple.csv"
for task in CT-Single-CL2 CT-Multiple-CL2; do
  in_folds "$task" other,covid
done

cxrtool ingest "$OUT/mgc.csv" "$OUT/ccii-independent.csv" "$OUT/ictcf.csv" "$OUT/scov.csv" |
  cxrtool split - --test-where source=scov --straddle drop --val 4617/23088 |
  images CT-Independent-CL2
network "$OUT/CT-Independent-CL2.csv" other,covid cvr-net "$OUT/runs/CT-Independent-CL2"
cxrtool evaluate "$OUT/runs/CT-Independent-CL2" "$OUT/CT-Independent-CL2.csv" --where split=test \
  --keep-columns -o "$OUT/runs/CT-Independent-CL2.csv"

surest "$OUT/runs/CT-Independent-CL2.csv" 3 > "$OUT/three.csv"
look cvr-net CT-Independent-CL2
look resnet-branch CT-Independent-CL2 --branch resnet
look xception-branch CT-Independent-CL2 --branch xception --beside "$OUT/cvr-net.csv" \
  --beside "$OUT/resnet-branch.csv" --grid "$OUT/figure-2.png"

for task in CT-Single-CL2 CT-Multiple-CL2; do
  beside "$task" "$task" "$OUT/runs/$task"/fold-*.csv --pool fold --averages \
    --metrics sensitivity,precision,accuracy --published "cvr-net:model=CVR-Net,task=$task"
done
beside CT-Independent-CL2 CT-Independent-CL2 "$OUT/runs/CT-Independent-CL2.csv" --averages \
  --metrics sensitivity,precision,accuracy \
  --published cvr-net:model=CVR-Net,task=CT-Independent-CL2
