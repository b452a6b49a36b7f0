set -eu
OUT=${OUT:-@name@}
SCALE=${SCALE:-full}
case $SCALE in
full)
  if [ -z "${DATA:-}" ]; then
    echo "@name@: DATA is not set. Set it to the folder that holds: @needs@." >&2
    exit 2
  fi
  needs="@needs@"
  for collection in $needs; do
    if [ ! -d "$DATA/$collection" ]; then
      echo "@name@: no folder $DATA/$collection. Put this collection there; \
cxrtool ingest --list and man cxrtool-recipe say what it is." >&2
      exit 2
    fi
  done
  ;;
small)
  echo "@name@: SCALE=small: phantoms (synthetic images) replace the collections. The results \
show that the steps run; do not compare them with the paper's." >&2
  ;;
*)
  echo "@name@: SCALE=$SCALE is neither full nor small" >&2
  exit 2
  ;;
esac
mkdir -p "$OUT/tables"

# In a small run, each collection is one hospital of phantoms. Those of the paediatric collection
# get its classes, and half of them its test folder.
phantoms() { # COUNT SIZE LABELS COLLECTION...
  [ "$SCALE" = small ] || return 0
  count=$1 size=$2 labels=$3
  shift 3
  renamed='' hospital=0
  for collection in "$@"; do
    hospital=$((hospital + 1))
    renamed="$renamed s/hospital-$hospital/$collection/g;"
  done
  cxrtool phantom "$count" -d "$OUT/phantoms" --sources "$#" --size "$size" --labels "$labels" \
    -o "$OUT/hospitals.csv"
  sed "$renamed"'
    /kermany/{ s/,covid,/,bacteria,/; s/,pneumonia,/,virus,/; }
    /kermany.*,AP,/s/,,,\([^,]*\)$/,,test,\1/' "$OUT/hospitals.csv" > "$OUT/phantoms.csv"
}

# In a small run of CT, each collection is drawn in its own folders, which its preset reads, and of
# patients of its own: the same patient in two collections would be a leak.
slices() { # COUNT SIZE LABELS COLLECTION...
  [ "$SCALE" = small ] || return 0
  count=$1 size=$2 labels=$3
  shift 3
  seed=0
  for collection in "$@"; do
    seed=$((seed + 1))
    cxrtool phantom "$count" -d "$OUT/ct/$collection" --slices "$collection" --seed "$seed" \
      --size "$size" --labels "$labels" -o "$OUT/ct-$collection.csv"
  done
}

gather() { # COLLECTION[:KEY=VALUE] OPTIONS-OF-INGEST...: its manifest
  preset=$1 collection=${1%%:*}
  shift
  if [ "$SCALE" = full ]; then
    # Exit code 1: some files are damaged or missing. ingest has listed them; the rest is used.
    cxrtool ingest "$DATA/$collection" --preset "$preset" "$@" || [ $? -eq 1 ]
  elif [ -d "$OUT/ct/$collection" ]; then
    cxrtool ingest "$OUT/ct/$collection/$collection" --preset "$collection" "$@"
  else
    sed -n "1p; /,$collection,/p" "$OUT/phantoms.csv" | cxrtool ingest - "$@"
  fi
}

# awk would cut a cell in two that holds a comma.
python_on() { # TABLE CODE ARGUMENT...: CODE has its rows, and shows those that are wanted
  python3 -c "import csv, sys
with open(sys.argv[1], newline='', encoding='utf-8') as file:
    reader = csv.DictReader(file)
    rows, given = list(reader), sys.argv[3:]
def show(wanted):
    table = csv.DictWriter(sys.stdout, reader.fieldnames, lineterminator='\\n')
    table.writeheader()
    table.writerows(wanted)
exec(sys.argv[2])" "$@"
}

# The last step: one's own figures and, by --published, the paper's in the same table.
beside() { # NAME TITLE OPTIONS-OF-COMPARE...
  saved=$OUT/tables/$1.md title=$2
  shift 2
  cxrtool compare "$@" -o "$saved"
  if [ "$SCALE" = small ]; then
    title="$title (of phantoms: not comparable with the paper)"
  fi
  printf '\n%s:\n\n' "$title"
  cat "$saved"
}
