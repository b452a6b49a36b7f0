#!/bin/sh
# id: V5
# name: v5-grad-cam-branches
# paper: Hasan et al. 2020 (CVR-Net), the radiographs of Figure 2
# needs: chexpert kermany ccxri bimcv nih cohen
# cost: full: all of CheXpert and ChestX-ray14 is read once; trainings of CVR-Net and Inception-v3,
#   of at most 200 epochs on 8,379 images, or none where OUT is that of V4; small: 2 minutes on two
#   cores
#
# Where does CVR-Net look, and where its two encoders? Grad-CAM of COVID-19 for three images of it,
# with a line at 0.6 of the maximum: of the network as a whole, of the ResNet branch, of the
# Xception branch, and of Inception-v3. The images are those with the highest probability of
# COVID-19 by CVR-Net, so that they favour it. The paper finds the map of the whole more focused on
# the lungs than those of the branches.
#
# What the paper does not say:
# - On which test the images were chosen: here on that of CXR-Independent-CL2, as Table 5 is.
# - What the map of a branch is. In its code the last maps of both encoders are joined, 2,048
#   channels each; here a branch has the maps of its own, for the score of the whole network.
# Its public code has no heat maps.
# Our choices: those of V2 and V4 (cxrtool recipe v4). The lungs are found by cxrtool's own network,
# so that how much of the heat is in them (in_lung) makes the finding a number. The slices of the
# figure are those of V3.
#
# Published: pictures; accuracy 0.887 (CVR-Net) and 0.871 (Inception-v3) on the same test.

# include: preamble s1
case $SCALE in
full)
  WEIGHTS=imagenet SIZE=224 EPOCHS=200 BATCH=8
  SCHEDULE=plateau:factor=0.9,patience=11,delta=0.0001 PATIENCE=25 # 12 epochs, as Keras counts
  ;;
small)
  WEIGHTS=none SIZE=96 EPOCHS=1 BATCH=8
  SCHEDULE=none PATIENCE=none
  ;;
esac
phantoms 180 64 normal,pneumonia,covid chexpert kermany ccxri bimcv nih cohen

independent
for architecture in cvr-net inception-v3:head=flatten1024; do
  run=$OUT/runs/${architecture%:*}
  network "$OUT/images.csv" other,covid "$architecture" "$run"
  # With all columns: cam looks at what was done to the images.
  cxrtool evaluate "$run" "$OUT/images.csv" --where split=test --keep-columns -o "$run/test.csv"
done

surest "$OUT/runs/cvr-net/test.csv" 3 > "$OUT/three.csv"

look cvr-net cvr-net --mask auto
look resnet-branch cvr-net --mask auto --branch resnet
look xception-branch cvr-net --mask auto --branch xception
look inception-v3 inception-v3 --mask auto --beside "$OUT/cvr-net.csv" \
  --beside "$OUT/resnet-branch.csv" --beside "$OUT/xception-branch.csv" --grid "$OUT/figure-2.png"

beside networks 'CXR-Independent-CL2' "$OUT/runs/cvr-net/test.csv" \
  "$OUT/runs/inception-v3/test.csv" --averages --metrics sensitivity,precision,accuracy \
  --published cvr-net:table=5,task=CXR-Independent-CL2
