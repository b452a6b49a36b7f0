#!/bin/sh
# id: X4
# name: x4-imagenet-frozen
# paper: Haghanifar et al. 2020 (COVID-CXNet), section 5.2, Figure 13
# needs: armiro kermany
# cost: full: three trainings of the last layers of a DenseNet-121 or a ResNet-50, of 10 or 20
#   epochs on 480 images; small: 1 minute on two cores
#
# Do networks that know ImageNet and nothing else learn COVID-19 when all of them but the last layer
# is fixed? The paper finds that they do not, and that they overfit in more epochs. Images are those
# of X1: COVID-19 in adults and healthy children, 300 each.
#
# What the code did where the paper says otherwise:
# - The paper trains the last layer alone, for 20 epochs (10 in the caption of its Figure 13), on
#   images of 224 pixels. The script for the transfer has images of 96 pixels, a head of 10 and 20
#   sigmoid units with dropout, all of which learns, and 10 epochs. Both are made here: densenet121
#   and resnet50 as in the paper, and the head of the code (--freeze trunk), each with stacks of
#   its own size.
# - The part that is held out also chooses the epoch, and is not drawn by class: as X1.
# - Keras' Adam at its own rate of 1e-3.
# Our choices: how many images it took is not told: those of X1's largest set, turned and flipped as
# there; channels in the order of the script; batches of 32, as all models before COVID-CXNet had;
# grey levels scaled as the ImageNet weights want them, which the paper does not say.
#
# Published: a curve, and that it does not learn; no figure, so that no column is of the paper.

# include: preamble s2
case $SCALE in
full) WEIGHTS=imagenet SIZE=224 CODE_SIZE=96 EPOCHS=20 CODE_EPOCHS=10 BATCH=32 EACH=300 ;;
small) WEIGHTS=none SIZE=64 CODE_SIZE=64 EPOCHS=1 CODE_EPOCHS=1 BATCH=8 EACH=20 ;;
esac
phantoms 90 96 normal,covid armiro kermany

covid_images > "$OUT/covid.csv"
healthy_children > "$OUT/children.csv"
cxrtool ingest "$OUT/covid.csv" "$OUT/children.csv" |
  hold_out --cap "label=$EACH" -o "$OUT/both.csv"
stacked stacks raw+beasf+clahe < "$OUT/both.csv"

fixed() { # ARCHITECTURE FREEZE STACKS SIZE EPOCHS
  run=$OUT/runs/${1%%:*}
  cxrtool train "$OUT/$3.csv" --arch "$1" --freeze "$2" --size "$4" --epochs "$5" \
    --classes normal,covid --weights "$WEIGHTS" --optimizer "$ADAM" --lr 0.001 --batch "$BATCH" \
    --normalize imagenet --augment rotate=90,hflip=0.5,vflip=0.5 --seed 18 -d "$run"
  cxrtool evaluate "$run" "$OUT/$3.csv" --where split=val -o "$run/val.csv"
}
fixed densenet121 backbone stacks "$SIZE" "$EPOCHS"
fixed resnet50 backbone stacks "$SIZE" "$EPOCHS"
SIZE=$CODE_SIZE
stacked code-stacks raw+beasf+clahe < "$OUT/both.csv"
fixed covid-cxnet:head=transfer trunk code-stacks "$SIZE" "$CODE_EPOCHS"

beside table 'The images held out (the paper has no figure)' "$OUT"/runs/*/val.csv \
  --positive covid --metrics accuracy,f1,auc
