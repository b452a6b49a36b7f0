"""The columns and fields of the files that commands exchange, for section 5 of the manual."""

MANIFEST = {
    "path": "The image, relative to the working folder or to the root folder; equalize and segment "
    "replace it by the file that they write. The only column that every command needs.",
    "raw": "The original file; never changed.",
    "label": "The class; empty if unknown.",
    "patient": "The person, as SOURCE/ID, because two hospitals may use the same numbers.",
    "source": "The data set, hospital or scanner of the image.",
    "view": "PA, AP, AP Supine, L and so on.",
    "age": "In years; 90+ for ages over 89, unless ingest is asked for exact ages.",
    "sex": "M or F.",
    "width": "Of the decoded image, in pixels.",
    "height": "Of the decoded image, in pixels.",
    "sha256": "The digest of the file.",
    "dhash": "A 256-bit difference hash in hexadecimal, used to find near duplicates.",
    "dhash_square": "The same for the central square.",
    "fingerprint": "Low frequencies of the image without its borders, in base64, used to find "
    "altered copies.",
    "dup_group": "Equal for images of the same picture, exactly or nearly; empty for others.",
    "mask": "The lung mask: white is lung.",
    "lesion": "The mask of the opacity: that phantom drew, or of the boxes that readers drew.",
    "finding": "The collection's own term for what the image shows, or its list of findings: "
    "Edema|Pneumonia, No Finding. Edema? is an uncertain finding: to learn and to evaluate "
    "findings, it is unknown.",
    "folder": "The part of a published split, or the folder, that contains the image.",
    "preprocessing": "The processing steps of the image, as on the command line.",
    "concealed": "The number of boxes of burnt-in text that equalize has covered.",
    "lung_fraction": "Lung area over image area.",
    "mask_flag": "Empty, or why the mask looks wrong.",
    "split": "train, val, test or unseen.",
    "fold": "1 to K, for cross-validation.",
}
PREDICTIONS = {
    "path, label, patient, source, split, fold": "As in the manifest; label may be empty.",
    "model": "The run's name: that of its folder.",
    "test": "The name of the test set, where evaluate is given one.",
    "pred": "The class that is predicted.",
    "p_CLASS": "The probability of a class, one column for each class; they sum to 1.",
    "finding": "Of a run of findings, which has one row for each image and finding: the finding; "
    "its classes are absent and present.",
}
FAILURES = {
    "path": "The input.",
    "reason": "Why it did not reach the output.",
    "remedy": "What to do about it; empty where a rule left it out, such as the choice of views.",
    "command": "The command, its inputs and its output, as paths from the folder of the list. "
    "Repeating the command replaces its own rows only.",
}
RUN = {
    "model.safetensors": "The best weights. Nothing in it is executable.",
    "images.safetensors": "Eight-byte digests of the images' sha256, by part (train, val, and "
    "before: those of the run whose weights it began with), so that evaluate recognises images "
    "that the run has seen. Only someone who has an image can check whether it is included; no "
    "patient data is stored. Missing if the manifest had no sha256.",
    "run.json": "Everything that is needed to use the weights; its fields are below.",
    "history.csv": "One row for each epoch: losses, metrics, learning rate, seconds, images per "
    "second. val_loss is the loss of training (focal, label smoothing and class weights included) "
    "on the validation part, without augmentation; run.json names it (criterion).",
    "curves.png": "The history as a picture.",
    "rates.csv": "With --lr find: the learning rates that were tried, the loss of one batch at "
    "each, and which rate was chosen (steepest).",
    "rates.png": "The same as a picture.",
    "tensorboard": "With --log tensorboard: a folder with the history as event files.",
    "mlflow.db": "With --log mlflow: the history as a local MLflow store (SQLite).",
    "last.safetensors": "The state from which train continues.",
    "last.json": "A readable copy of this state.",
    "failures.csv": "The images that were not used, and why.",
}
FIELDS = {
    "arch": "The network, as train names it.",
    "task": "classify, segment for a network that draws lung masks, or findings for one that "
    "predicts several findings independently (multi-label).",
    "classes": "The classes, or findings, in the order of the outputs. With two classes, the "
    "decision threshold applies to the second.",
    "size": "The side of the network's input images, in pixels.",
    "channels": "The channels of its input images: 1 or 3.",
    "mean": "Subtracted from the grey levels (0 to 255) of each channel.",
    "std": "The difference is divided by it.",
    "fit": "How images are resized: squash, crop or pad.",
    "normalize": "The source of mean and std.",
    "preprocessing": "The processing steps of the training images.",
    "loaded": "The weights at the start of training.",
    "seed": "The seed of all random choices.",
    "options": "All options of train.",
    "data": "The name of the manifest, the digest of the training data, and the number of images "
    "of each class in train and val; of findings, of the images that were read: how many "
    "show each (train, val), how many say of it (train_known, val_known), and all (images).",
    "leaks": "How many patients, files (sha256) and duplicate groups were in more than one part of "
    "the split; empty in runs of earlier versions, which did not check.",
    "label_traps": "What gives the label away in train and val: classes that occur in one source "
    "only (one_source), and columns that predict the label alone, with the AUC by patient and its "
    "95 % interval (predicted_by). Empty if nothing does, and in runs of earlier versions.",
    "best": "The epoch of the weights, and its metrics.",
    "criterion": "The loss of val_loss, which is the training loss. If train monitors the loss, "
    "the best epoch, the plateau schedule and early stopping follow it. In runs of earlier "
    "versions it is missing, and val_loss is the cross-entropy (ce).",
    "temperature": "Calibration divides the logits by it.",
    "threshold": "The best decision threshold on the validation part.",
    "versions": "The versions of cxrtool and its libraries.",
    "weights": "The SHA-256 of model.safetensors; any other file is refused.",
    "images": "The SHA-256 of images.safetensors; empty if there is none.",
    "format": "The version of this format.",
}
