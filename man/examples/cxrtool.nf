// From a folder of images, with one subfolder per class, to the audit of a network.
//
//   nextflow run cxrtool.nf --images images/ --positive covid
//
// Exit code 1 of cxrtool means: done, but some files failed, and failures.csv lists them. The
// processes go on then. A process that was stopped from outside, or had no disk or memory, is tried
// again.
params.images = 'images'
params.positive = 'covid'
params.epochs = 20
params.size = 224

process MANIFEST {
    input:
    path images

    output:
    path 'split.csv'

    script:
    """
    set -o pipefail
    (cxrtool ingest ${images} --failures failures.csv || [ \$? -eq 1 ]) \
        | cxrtool split --test 0.2 --val 0.2 --seed 1 > split.csv
    """
}

process NETWORK {
    errorStrategy { task.exitStatus in [3, 137, 143] ? 'retry' : 'finish' }
    maxRetries 2

    input:
    path images
    path split

    output:
    path 'run'

    script:
    """
    cxrtool train ${split} --arch resnet18 --size ${params.size} --epochs ${params.epochs} -d run \
        || [ \$? -eq 1 ]
    """
}

process PREDICTIONS {
    input:
    path images
    path split
    path run

    output:
    path 'predictions.csv'

    script:
    """
    cxrtool evaluate ${run} ${split} --where split=test -o predictions.csv || [ \$? -eq 1 ]
    """
}

process AUDIT {
    publishDir 'results', mode: 'copy'

    input:
    path images
    path split
    path predictions

    output:
    path 'audit'

    script:
    """
    cxrtool audit ${split} ${predictions} -d audit --positive ${params.positive} --fail-on none \
        || [ \$? -eq 1 ]
    """
}

workflow {
    images = Channel.value(file(params.images))
    split = MANIFEST(images)
    run = NETWORK(images, split)
    predictions = PREDICTIONS(images, split, run)
    AUDIT(images, split, predictions)
}
