"""What stands in the files that commands hand to one another, for the manual's section 5."""

MANIFEST = {
    "path": "The image to read, relative to the working folder or to --root; equalize and segment "
    "point it at the file that they made. The only column that every command needs.",
    "raw": "The file that it all began with; never changed again.",
    "label": "The class. Empty is unknown.",
    "patient": "The person, as SOURCE/ID: two hospitals may have the same numbers.",
    "source": "The data set, hospital or scanner that the image is from.",
    "view": "PA, AP, AP Supine, L and so on.",
    "age": "In years; 90+ for any over 89, unless ingest is given --exact-age.",
    "sex": "M or F.",
    "width": "Of the decoded image, in pixels.",
    "height": "Of the decoded image, in pixels.",
    "sha256": "The digest of the file.",
    "dhash": "A 256-bit difference hash in hexadecimal, by which near duplicates are looked for.",
    "dhash_square": "The same of the central square.",
    "fingerprint": "Low frequencies of the image without its borders, in base64, by which altered "
    "copies are looked for.",
    "dup_group": "The same value for images that are the same picture, exactly or nearly; empty "
    "for the others.",
    "mask": "The lung mask: white is lung.",
    "lesion": "The mask of the opacity that phantom planted.",
    "finding": "The collection's own word for what the image shows.",
    "folder": "The part of a published split, or the folder, that it lies in.",
    "preprocessing": "What was done to the image, in the words of the command line.",
    "concealed": "How much of the image equalize --conceal has covered.",
    "lung_fraction": "Lung area over image area.",
    "mask_flag": "Empty, or why the mask looks wrong.",
    "split": "train, val, test or unseen.",
    "fold": "1 to K, for cross-validation.",
}
PREDICTIONS = {
    "path, label, patient, source, split, fold": "As in the manifest; label may be empty.",
    "model": "The run's name: that of its folder.",
    "test": "What evaluate --test calls the images.",
    "pred": "The class that is predicted.",
    "p_CLASS": "The probability of a class, one column each; they sum to 1.",
}
FAILURES = {
    "path": "The input.",
    "reason": "Why it did not reach the output.",
    "remedy": "What to do about it; empty where it was left out by rule, as by --view.",
    "command": "The command, its inputs and its -o, as paths from the folder of the list. The same "
    "command given again replaces these rows and no others.",
}
RUN = {
    "model.safetensors": "The best weights. Nothing in it is executable.",
    "images.safetensors": "Eight-byte digests of the images' sha256, by part (train, val): so "
    "evaluate knows images that the run has seen. Only who has an image can tell that it is among "
    "them; nothing of patients is kept. Missing where the manifest had no sha256.",
    "run.json": "All that is needed to use them anywhere; its fields are below.",
    "history.csv": "One row an epoch: losses, metrics, learning rate, seconds, images a second. "
    "val_loss is the loss of training (focal, label smoothing and class weights included) on the "
    "validation part, without augmentation; run.json names it (criterion).",
    "curves.png": "The same to look at.",
    "last.safetensors": "What train goes on from.",
    "last.json": "A copy of its state for people.",
    "failures.csv": "The images that could not be used, and why.",
}
FIELDS = {
    "arch": "The network, as --arch names it.",
    "task": "classify, or segment for a network that draws lung masks.",
    "classes": "The classes in the order of the outputs. Of two, evaluate --threshold applies to "
    "the second.",
    "size": "The side of the images that the network sees, in pixels.",
    "channels": "Their channels: 1 or 3.",
    "mean": "Subtracted from the grey levels (0 to 255) of each channel.",
    "std": "What they are divided by then.",
    "fit": "How images are brought to the size: squash, crop or pad.",
    "normalize": "Where mean and std are from.",
    "preprocessing": "What was done to the images of training before.",
    "loaded": "The weights that training began with.",
    "seed": "Every random choice followed from it.",
    "options": "Every option of train.",
    "data": "The manifest's name, the digest of what was learned, and how many images of each "
    "class stood in train and val.",
    "leaks": "How many patients, files (sha256) and duplicate groups stood in more than one part "
    "of the split; empty in runs of earlier versions, which did not look.",
    "label_traps": "What gives the label away in train and val: classes that occur in one source "
    "only (one_source), and columns that predict the label alone, with the AUC by patient and its "
    "95 % interval (predicted_by). Empty if nothing does, and in runs of earlier versions.",
    "best": "The epoch of the weights, and its figures.",
    "criterion": "The loss that val_loss is: that of training. With --monitor loss the best epoch, "
    "the plateau schedule and early stopping follow it. Runs of earlier versions do not say; there "
    "it is the cross-entropy (ce) whatever they were trained by.",
    "temperature": "What logits are divided by with evaluate --calibrate.",
    "threshold": "The best threshold on the validation part, for evaluate --threshold val.",
    "versions": "Of cxrtool and of what it ran on.",
    "weights": "The SHA-256 of model.safetensors: another file is refused.",
    "images": "The SHA-256 of images.safetensors; empty where there is none.",
    "format": "The version of this format.",
}
