# bash completion for cxrtool; made by cxrtool.cli.manual

_cxrtool_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current"); }
_cxrtool_files() { compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current"); }
_cxrtool_dirs() { compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$current"); }

_cxrtool() {
    local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}"
    local verb="" word
    COMPREPLY=()
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case "$word" in
            -*) ;;
            *) verb="$word"; break ;;
        esac
    done
    # Bash splits --option=value at the sign.
    if [[ "$current" == "=" ]]; then current=""
    elif [[ "$previous" == "=" ]]; then previous="${COMP_WORDS[COMP_CWORD-2]}"; fi
    case "$verb $previous" in
        "audit --predictions") _cxrtool_files; return ;;
        "audit --run") return ;;
        "audit --retrain-also") _cxrtool_words "other-mask sham outline dilation all none"; return ;;
        "audit --dir"|"audit -d") _cxrtool_dirs; return ;;
        "audit --checks") _cxrtool_words "ablation attributes broken bystanders case-mix composition controls heat hidden-slices image-quality independence leaks lungs-out markers overlap preprocessing reuse slices source-probe spike-in within"; return ;;
        "audit --within") return ;;
        "audit --positive") return ;;
        "audit --margin") return ;;
        "audit --fail-on") _cxrtool_words "shown not-identifiable inconclusive not-assessed none"; return ;;
        "audit --checklist") _cxrtool_words "claim probast-ai reforms tripod-ai"; return ;;
        "audit --where") return ;;
        "audit --root") _cxrtool_dirs; return ;;
        "audit --seed") return ;;
        "audit --jobs"|"audit -j") _cxrtool_words "auto"; return ;;
        "audit --engine") _cxrtool_words "local"; return ;;
        "audit --device") _cxrtool_words "auto cpu cuda mps"; return ;;
        "audit --cache") _cxrtool_dirs; return ;;
        "audit --failures") _cxrtool_files; return ;;
        "audit --progress") _cxrtool_words "auto always never"; return ;;
        "cam --dir"|"cam -d") _cxrtool_dirs; return ;;
        "cam --method") _cxrtool_words "cam gradcam gradcam++ gradcam-cxnet layercam lime occlusion scorecam"; return ;;
        "cam --class") _cxrtool_words "predicted label"; return ;;
        "cam --hierarchy") return ;;
        "cam --branch") return ;;
        "cam --signs") _cxrtool_words "positive both"; return ;;
        "cam --outline") return ;;
        "cam --colormap") _cxrtool_words "cividis inferno magma plasma viridis jet"; return ;;
        "cam --mask") _cxrtool_words "column auto none"; return ;;
        "cam --lesion") _cxrtool_words "column none"; return ;;
        "cam --grid") _cxrtool_files; return ;;
        "cam --grid-most") return ;;
        "cam --beside") return ;;
        "cam --batch") return ;;
        "cam --device") _cxrtool_words "auto cpu cuda mps"; return ;;
        "cam --where") return ;;
        "cam --root") _cxrtool_dirs; return ;;
        "cam --jobs"|"cam -j") _cxrtool_words "auto"; return ;;
        "cam --engine") _cxrtool_words "local"; return ;;
        "cam --output"|"cam -o") _cxrtool_files; return ;;
        "cam --failures") _cxrtool_files; return ;;
        "cam --progress") _cxrtool_words "auto always never"; return ;;
        "compare --by") return ;;
        "compare --by-pairs") return ;;
        "compare --pool") return ;;
        "compare --positive") return ;;
        "compare --metrics") _cxrtool_words "accuracy balanced_accuracy sensitivity specificity precision npv f1 auc average_precision dor dor_haldane mcc brier ece error ece_debiased calibration_slope calibration_intercept"; return ;;
        "compare --ci") return ;;
        "compare --bootstrap") return ;;
        "compare --interval") _cxrtool_words "auto bootstrap normal"; return ;;
        "compare --paired-test") _cxrtool_words "delong mcnemar permutation"; return ;;
        "compare --matrix") return ;;
        "compare --threshold") return ;;
        "compare --published") _cxrtool_words "covid-cxnet cvr-net luiz majeed tartaglione"; return ;;
        "compare --best") _cxrtool_words "accuracy balanced_accuracy sensitivity specificity precision npv f1 auc average_precision dor dor_haldane mcc brier ece error ece_debiased calibration_slope calibration_intercept"; return ;;
        "compare --format") _cxrtool_words "csv json asciidoc colon_grid double_grid double_outline fancy_grid fancy_outline github grid heavy_grid heavy_outline html jira latex latex_booktabs latex_longtable latex_raw mediawiki mixed_grid mixed_outline moinmoin orgtbl outline pipe plain presto pretty psql rounded_grid rounded_outline rst simple simple_grid simple_outline textile tsv unsafehtml youtrack"; return ;;
        "compare --plots") _cxrtool_dirs; return ;;
        "compare --report") return ;;
        "compare --where") return ;;
        "compare --seed") return ;;
        "compare --output"|"compare -o") _cxrtool_files; return ;;
        "compare --failures") _cxrtool_files; return ;;
        "compare --progress") _cxrtool_words "auto always never"; return ;;
        "demo --dir"|"demo -d") _cxrtool_dirs; return ;;
        "equalize --dir"|"equalize -d") _cxrtool_dirs; return ;;
        "equalize --method") _cxrtool_words "ahe beasf clahe hist match none stack"; return ;;
        "equalize --size") _cxrtool_words "none"; return ;;
        "equalize --interpolation") _cxrtool_words "area cubic linear nearest"; return ;;
        "equalize --move") _cxrtool_words "rotate scale shear"; return ;;
        "equalize --bits") _cxrtool_words "8 16"; return ;;
        "equalize --conceal") _cxrtool_words "auto"; return ;;
        "equalize --where") return ;;
        "equalize --root") _cxrtool_dirs; return ;;
        "equalize --jobs"|"equalize -j") _cxrtool_words "auto"; return ;;
        "equalize --engine") _cxrtool_words "local"; return ;;
        "equalize --output"|"equalize -o") _cxrtool_files; return ;;
        "equalize --failures") _cxrtool_files; return ;;
        "equalize --progress") _cxrtool_words "auto always never"; return ;;
        "evaluate --epoch") _cxrtool_words "best last"; return ;;
        "evaluate --threshold") _cxrtool_words "val youden"; return ;;
        "evaluate --tta") return ;;
        "evaluate --ensemble") return ;;
        "evaluate --hierarchy") return ;;
        "evaluate --batch") return ;;
        "evaluate --test-name") return ;;
        "evaluate --target") return ;;
        "evaluate --device") _cxrtool_words "auto cpu cuda mps"; return ;;
        "evaluate --cache") _cxrtool_dirs; return ;;
        "evaluate --where") return ;;
        "evaluate --root") _cxrtool_dirs; return ;;
        "evaluate --jobs"|"evaluate -j") _cxrtool_words "auto"; return ;;
        "evaluate --engine") _cxrtool_words "local"; return ;;
        "evaluate --output"|"evaluate -o") _cxrtool_files; return ;;
        "evaluate --failures") _cxrtool_files; return ;;
        "evaluate --progress") _cxrtool_words "auto always never"; return ;;
        "ingest --preset") _cxrtool_words "actualmed andrewmvd armiro bimcv ccii ccxri chexpert cohen corda covidx figure1 folder hannover ictcf kermany mgc montgomery nih padchest prashant268 rsna scov shenzhen"; return ;;
        "ingest --metadata") _cxrtool_files; return ;;
        "ingest --column") return ;;
        "ingest --map-label") return ;;
        "ingest --source") return ;;
        "ingest --view") return ;;
        "ingest --cap") return ;;
        "ingest --convert") _cxrtool_dirs; return ;;
        "ingest --window") _cxrtool_words "lung mediastinum bone"; return ;;
        "ingest --join-masks") _cxrtool_dirs; return ;;
        "ingest --bits") _cxrtool_words "8 16"; return ;;
        "ingest --key") _cxrtool_files; return ;;
        "ingest --seed") return ;;
        "ingest --root") _cxrtool_dirs; return ;;
        "ingest --jobs"|"ingest -j") _cxrtool_words "auto"; return ;;
        "ingest --engine") _cxrtool_words "local"; return ;;
        "ingest --output"|"ingest -o") _cxrtool_files; return ;;
        "ingest --failures") _cxrtool_files; return ;;
        "ingest --progress") _cxrtool_words "auto always never"; return ;;
        "phantom --dir"|"phantom -d") _cxrtool_dirs; return ;;
        "phantom --labels") _cxrtool_words "normal pneumonia covid"; return ;;
        "phantom --sources") return ;;
        "phantom --confound") return ;;
        "phantom --size") return ;;
        "phantom --slices") _cxrtool_words "none plain scov mgc ccii ictcf"; return ;;
        "phantom --seed") return ;;
        "phantom --root") _cxrtool_dirs; return ;;
        "phantom --jobs"|"phantom -j") _cxrtool_words "auto"; return ;;
        "phantom --output"|"phantom -o") _cxrtool_files; return ;;
        "phantom --progress") _cxrtool_words "auto always never"; return ;;
        "recipe --paper") _cxrtool_words "s0 s1 s2 s3 s4"; return ;;
        "recipe --data") _cxrtool_dirs; return ;;
        "recipe --output"|"recipe -o") _cxrtool_files; return ;;
        "segment --dir"|"segment -d") _cxrtool_dirs; return ;;
        "segment --model") _cxrtool_words "lungs threshold"; return ;;
        "segment --keep") _cxrtool_words "lungs background box mask"; return ;;
        "segment --blur") _cxrtool_words "gaussian box"; return ;;
        "segment --dilate") return ;;
        "segment --margin") return ;;
        "segment --bits") _cxrtool_words "8 16"; return ;;
        "segment --where") return ;;
        "segment --root") _cxrtool_dirs; return ;;
        "segment --jobs"|"segment -j") _cxrtool_words "auto"; return ;;
        "segment --engine") _cxrtool_words "local"; return ;;
        "segment --output"|"segment -o") _cxrtool_files; return ;;
        "segment --failures") _cxrtool_files; return ;;
        "segment --progress") _cxrtool_words "auto always never"; return ;;
        "split --test") return ;;
        "split --val") return ;;
        "split --folds") return ;;
        "split --unseen") return ;;
        "split --leave-out") return ;;
        "split --test-where") return ;;
        "split --group") return ;;
        "split --stratify") return ;;
        "split --balance") _cxrtool_words "under over"; return ;;
        "split --cap") return ;;
        "split --paper") _cxrtool_words "image"; return ;;
        "split --straddle") _cxrtool_words "refuse drop"; return ;;
        "split --where") return ;;
        "split --seed") return ;;
        "split --output"|"split -o") _cxrtool_files; return ;;
        "split --failures") _cxrtool_files; return ;;
        "train --dir"|"train -d") _cxrtool_dirs; return ;;
        "train --task") _cxrtool_words "classify segment findings"; return ;;
        "train --arch") _cxrtool_words "alexnet chexnet cnn-x conv8 coronet covid-cxnet covidnet covidnet-r50v2 cvr-net cxnet-base darkcovidnet densenet121 densenet169 densenet201 efficientnet-b1 efficientnet-lite0 googlenet inception-resnet-v2 inception-v3 luiz-cnn narin-resnet50 resnet101 resnet152 resnet18 resnet50 squeezenet tartaglione-resnet18 tartaglione-resnet50 timm unet vgg16 vgg19 xception xrv"; return ;;
        "train --classes") return ;;
        "train --weights") _cxrtool_words "none imagenet"; return ;;
        "train --first-layer") _cxrtool_words "red sum"; return ;;
        "train --freeze") _cxrtool_words "none trunk backbone"; return ;;
        "train --loss") _cxrtool_words "ce focal double-softmax"; return ;;
        "train --class-weights") _cxrtool_words "none balanced max"; return ;;
        "train --rebalance") _cxrtool_words "none"; return ;;
        "train --label-smoothing") return ;;
        "train --optimizer") _cxrtool_words "sgd adam adamw adamax"; return ;;
        "train --schedule") _cxrtool_words "none plateau cosine onecycle step"; return ;;
        "train --lr") _cxrtool_words "find"; return ;;
        "train --epochs") return ;;
        "train --batch") _cxrtool_words "auto"; return ;;
        "train --patience") _cxrtool_words "none"; return ;;
        "train --monitor") _cxrtool_words "loss accuracy balanced_accuracy auc dice"; return ;;
        "train --size") _cxrtool_words "auto"; return ;;
        "train --channels") _cxrtool_words "auto 1 3"; return ;;
        "train --fit") _cxrtool_words "squash crop pad"; return ;;
        "train --normalize") _cxrtool_words "auto unit dataset imagenet none xrv"; return ;;
        "train --augment") _cxrtool_words "none hard rotate shift shift-x shift-y shear zoom scale hflip vflip brightness contrast fill"; return ;;
        "train --clip") _cxrtool_words "none"; return ;;
        "train --fold") return ;;
        "train --repeat") return ;;
        "train --amp") _cxrtool_words "auto none bf16"; return ;;
        "train --log") _cxrtool_words "mlflow tensorboard"; return ;;
        "train --device") _cxrtool_words "auto cpu cuda mps"; return ;;
        "train --cache") _cxrtool_dirs; return ;;
        "train --where") return ;;
        "train --root") _cxrtool_dirs; return ;;
        "train --jobs"|"train -j") _cxrtool_words "auto"; return ;;
        "train --seed") return ;;
        "train --failures") _cxrtool_files; return ;;
        "train --progress") _cxrtool_words "auto always never"; return ;;
        "tsne --layer") return ;;
        "tsne --perplexity") return ;;
        "tsne --method") _cxrtool_words "auto barnes-hut fft"; return ;;
        "tsne --pca") _cxrtool_words "all"; return ;;
        "tsne --max-iter") return ;;
        "tsne --colour") return ;;
        "tsne --plot") _cxrtool_files; return ;;
        "tsne --stats") _cxrtool_files; return ;;
        "tsne --permutations") return ;;
        "tsne --seed") return ;;
        "tsne --batch") return ;;
        "tsne --device") _cxrtool_words "auto cpu cuda mps"; return ;;
        "tsne --cache") _cxrtool_dirs; return ;;
        "tsne --where") return ;;
        "tsne --root") _cxrtool_dirs; return ;;
        "tsne --jobs"|"tsne -j") _cxrtool_words "auto"; return ;;
        "tsne --engine") _cxrtool_words "local"; return ;;
        "tsne --output"|"tsne -o") _cxrtool_files; return ;;
        "tsne --failures") _cxrtool_files; return ;;
        "tsne --progress") _cxrtool_words "auto always never"; return ;;
    esac
    if [[ "$current" == -* ]]; then
        case "$verb" in
            "") _cxrtool_words "--help --version" ;;
            audit) _cxrtool_words "--predictions --run --retrain --retrain-also --dir --checks --within --positive --margin --fail-on --checklist --where --root --seed --jobs --engine --device --cache --force --failures --strict --progress --quiet --verbose --help" ;;
            cam) _cxrtool_words "--dir --method --class --hierarchy --branch --signs --outline --colormap --mask --lesion --grid --grid-most --beside --batch --list --device --where --root --jobs --engine --output --failures --dry-run --force --strict --progress --quiet --verbose --help" ;;
            compare) _cxrtool_words "--by --by-pairs --pool --positive --averages --confusion --metrics --ci --bootstrap --interval --paired-test --matrix --threshold --published --best --format --plots --report --where --seed --output --failures --strict --progress --list --quiet --verbose --help" ;;
            demo) _cxrtool_words "--dir --dry-run --quiet --verbose --help" ;;
            equalize) _cxrtool_words "--dir --method --size --interpolation --move --bits --conceal --list --where --root --jobs --engine --output --failures --dry-run --force --strict --progress --quiet --verbose --help" ;;
            evaluate) _cxrtool_words "--epoch --threshold --calibrate --tta --ensemble --hierarchy --batch --test-name --target --keep-columns --device --cache --where --root --jobs --engine --output --failures --strict --progress --quiet --verbose --help" ;;
            ingest) _cxrtool_words "--preset --metadata --column --map-label --source --view --cap --convert --window --join-masks --bits --key --exact-age --list --seed --root --jobs --engine --output --failures --dry-run --force --strict --progress --quiet --verbose --help" ;;
            phantom) _cxrtool_words "--dir --labels --sources --confound --size --slices --seed --root --jobs --output --dry-run --force --progress --quiet --verbose --help" ;;
            recipe) _cxrtool_words "--paper --missing --data --output --list --quiet --verbose --help" ;;
            segment) _cxrtool_words "--dir --model --keep --blur --dilate --margin --bits --list --where --root --jobs --engine --output --failures --dry-run --force --strict --progress --quiet --verbose --help" ;;
            split) _cxrtool_words "--test --val --folds --unseen --leave-out --test-where --group --stratify --balance --cap --paper --straddle --check --where --seed --output --failures --dry-run --quiet --verbose --help" ;;
            train) _cxrtool_words "--dir --task --arch --classes --weights --first-layer --freeze --loss --class-weights --rebalance --label-smoothing --optimizer --schedule --lr --epochs --batch --patience --monitor --size --channels --fit --normalize --augment --clip --fold --repeat --amp --compile --log --device --cache --list --where --root --jobs --seed --failures --dry-run --force --strict --progress --quiet --verbose --help" ;;
            tsne) _cxrtool_words "--layer --perplexity --method --pca --max-iter --colour --plot --stats --permutations --seed --batch --device --cache --where --root --jobs --engine --output --failures --strict --progress --quiet --verbose --help" ;;
        esac
        return
    fi
    case "$verb" in
        "") _cxrtool_words "audit cam compare demo equalize evaluate ingest phantom recipe segment split train tsne" ;;
        recipe) _cxrtool_words "l1-densenet121-ten-folds l2-not-augmented l3-best-of-ten l4-other-networks l5-grad-cam-covid m1-normal-or-covid m2-twelve-networks m3-few-images m4-class-activation-maps m5-error-intervals t1-lungs-only t2-pneumonia-first t3-resnet18-cross-dataset t4-resnet50-cross-dataset t5-conv8 t6-no-preprocessing t7-covid-net t8-features-by-dataset v1-cvr-net-five-folds v2-cvr-net-independent v3-cvr-net-slices v4-nine-networks v5-grad-cam-branches x1-cxnet-base x10-text-concealed x11-grad-cam-and-lime x12-ten-runs x2-cxnet-base-adults x3-learning-rate x4-imagenet-frozen x5-chexnet-probe x6-covid-cxnet-v1 x7-covid-cxnet-v2 x8-multiclass-flat x9-multiclass-hierarchical" ;;
        *) _cxrtool_files ;;
    esac
}

complete -F _cxrtool cxrtool
