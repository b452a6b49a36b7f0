"""What the papers print, copied from their pages: the figures that the tables must have.

A line is a row of the paper, with the digits that it prints.
"""

# Table II of Tartaglione et al.: encoders none, RSNA, ChestXRay; training sets and test sets in the
# order of the constants below; sensitivity, specificity, F, accuracy, BA, AUC, DOR.
TRAINED_ON = ("CORDA&RSNA", "CORDA", "CORDA&COVID-ChestXRay", "COVID-ChestXRay", "CORDA&ChestXRay")
TESTED_ON = ("CORDA", "CORDA&ChestXRay", "CORDA&RSNA", "CORDA&COVID-ChestXRay")
RESNET18 = """
0.56 0.42 0.60 0.51 0.49 0.52 0.91
0.56 0.22 0.15 0.26 0.39 0.33 0.36
0.56 0.96 0.49 0.95 0.76 0.95 34.23
0.52 0.48 0.58 0.51 0.50 0.53 1.00
0.56 0.58 0.63 0.56 0.57 0.59 1.71
0.56 0.37 0.18 0.39 0.46 0.43 0.74
0.56 0.38 0.08 0.39 0.47 0.46 0.76
0.56 0.58 0.63 0.57 0.57 0.59 1.76
0.58 0.64 0.66 0.60 0.61 0.63 2.48
0.58 0.63 0.27 0.63 0.61 0.63 2.37
0.58 0.54 0.11 0.54 0.56 0.58 1.62
0.57 0.66 0.66 0.60 0.61 0.64 2.57
0.91 0.11 0.77 0.64 0.51 0.54 1.28
0.91 0.66 0.41 0.69 0.78 0.87 19.56
0.91 0.11 0.09 0.14 0.51 0.45 1.22
0.91 0.18 0.78 0.67 0.55 0.58 2.22
0.88 0.18 0.77 0.64 0.53 0.58 1.55
0.88 0.94 0.76 0.93 0.91 0.97 112.93
0.88 0.14 0.09 0.17 0.51 0.42 1.14
0.87 0.20 0.77 0.65 0.54 0.60 1.67
0.68 0.44 0.69 0.60 0.56 0.61 1.68
0.68 0.22 0.18 0.27 0.45 0.49 0.59
0.68 0.90 0.37 0.89 0.79 0.90 19.82
0.67 0.50 0.70 0.61 0.58 0.63 2.03
0.54 0.80 0.66 0.63 0.67 0.72 4.78
0.54 0.31 0.16 0.34 0.43 0.48 0.54
0.54 0.55 0.10 0.55 0.55 0.61 1.48
0.57 0.76 0.67 0.63 0.67 0.72 4.20
0.70 0.49 0.72 0.63 0.59 0.67 2.23
0.70 0.30 0.20 0.34 0.50 0.59 0.98
0.70 0.37 0.10 0.39 0.53 0.61 1.37
0.71 0.52 0.73 0.65 0.61 0.70 2.65
0.94 0.09 0.79 0.66 0.52 0.57 1.66
0.94 0.61 0.39 0.65 0.78 0.92 26.24
0.94 0.08 0.09 0.12 0.51 0.58 1.50
0.95 0.14 0.80 0.68 0.54 0.62 3.09
0.82 0.38 0.77 0.67 0.60 0.63 2.81
0.82 0.95 0.75 0.94 0.89 0.97 89.14
0.82 0.30 0.10 0.32 0.56 0.59 1.98
0.83 0.38 0.78 0.68 0.60 0.64 2.99
0.86 0.31 0.78 0.67 0.58 0.60 2.67
0.86 0.29 0.24 0.36 0.58 0.48 2.47
0.86 0.95 0.61 0.95 0.90 0.97 122.64
0.82 0.38 0.77 0.67 0.60 0.61 2.79
0.54 0.58 0.62 0.56 0.56 0.67 1.64
0.54 0.37 0.17 0.39 0.46 0.49 0.70
0.54 0.73 0.15 0.72 0.64 0.72 3.21
0.56 0.62 0.64 0.58 0.59 0.70 2.08
0.71 0.49 0.72 0.64 0.60 0.67 2.35
0.71 0.25 0.20 0.31 0.48 0.51 0.83
0.71 0.47 0.11 0.48 0.59 0.64 2.16
0.73 0.52 0.74 0.66 0.62 0.70 2.93
0.91 0.20 0.79 0.67 0.56 0.61 2.56
0.91 0.70 0.44 0.73 0.81 0.89 24.38
0.91 0.15 0.09 0.19 0.53 0.55 1.83
0.92 0.28 0.81 0.71 0.60 0.66 4.47
0.88 0.24 0.78 0.67 0.56 0.66 2.32
0.88 0.94 0.77 0.94 0.91 0.97 122.67
0.88 0.24 0.10 0.27 0.56 0.67 2.26
0.88 0.26 0.78 0.67 0.57 0.68 2.58
"""
# Table III: encoders RSNA and ChestXRay.
RESNET50 = """
0.74 0.49 0.74 0.66 0.62 0.65 2.79
0.74 0.40 0.24 0.44 0.57 0.64 1.92
0.74 0.92 0.43 0.91 0.83 0.93 31.76
0.70 0.54 0.73 0.65 0.62 0.66 2.74
0.61 0.71 0.70 0.64 0.66 0.67 3.87
0.61 0.40 0.20 0.43 0.51 0.53 1.06
0.61 0.58 0.12 0.58 0.60 0.63 2.20
0.62 0.74 0.71 0.66 0.68 0.69 4.64
0.53 0.64 0.62 0.57 0.59 0.64 2.07
0.53 0.56 0.22 0.56 0.55 0.58 1.47
0.53 0.57 0.10 0.57 0.55 0.58 1.53
0.55 0.68 0.64 0.59 0.61 0.66 2.60
0.97 0.04 0.79 0.66 0.51 0.57 1.35
0.97 0.45 0.32 0.51 0.71 0.89 23.29
0.97 0.09 0.09 0.13 0.53 0.56 2.91
0.97 0.10 0.80 0.68 0.54 0.62 3.59
0.76 0.33 0.72 0.61 0.54 0.65 1.55
0.76 0.95 0.72 0.93 0.85 0.97 63.61
0.76 0.36 0.10 0.38 0.56 0.63 1.75
0.76 0.32 0.72 0.61 0.54 0.64 1.49
0.73 0.40 0.72 0.62 0.57 0.58 1.83
0.73 0.25 0.20 0.31 0.49 0.44 0.92
0.73 0.96 0.58 0.95 0.85 0.97 68.71
0.70 0.46 0.71 0.62 0.58 0.60 1.99
0.64 0.56 0.69 0.61 0.60 0.65 2.27
0.64 0.49 0.24 0.51 0.57 0.61 1.72
0.64 0.63 0.14 0.63 0.64 0.69 3.06
0.67 0.60 0.72 0.65 0.64 0.69 3.05
0.63 0.38 0.65 0.55 0.51 0.63 1.05
0.63 0.46 0.22 0.48 0.55 0.61 1.46
0.63 0.62 0.14 0.62 0.63 0.70 2.86
0.65 0.44 0.67 0.58 0.55 0.66 1.46
0.98 0.13 0.81 0.70 0.56 0.61 6.77
0.98 0.72 0.48 0.75 0.85 0.90 112.57
0.98 0.11 0.10 0.15 0.55 0.61 5.59
0.98 0.20 0.82 0.72 0.59 0.65 12.25
0.81 0.29 0.75 0.64 0.55 0.64 1.74
0.81 0.94 0.73 0.93 0.88 0.97 73.35
0.81 0.25 0.09 0.28 0.53 0.57 1.43
0.80 0.30 0.74 0.63 0.55 0.64 1.71
"""

# Table 1 of Majeed et al.: sensitivity and specificity, in per cent.
SCENARIO_1 = """
AlexNet 90.41 88.03
GoogleNet 93.15 96.15
Vgg16 84.93 97.86
Vgg19 0 100
ResNet18 95.89 98.72
ResNet50 95.89 97.01
ResNet101 91.78 97.86
InceptionV3 97.26 92.74
InceptionResNetv2 95.89 99.57
SqueezeNet 93.15 99.57
DenseNet201 90.41 100
Xception 93.15 100
CNN-X 93.15 97.86
"""
# Table 2: Bacteria, Covid-19, Normal, Viral; what is printed as specificity is the NPV.
SENSITIVITY_2 = """
AlexNet 92.98 93.15 42.74 69.59
GoogleNet 90.50 76.71 44.44 83.11
Vgg16 95.45 82.19 37.61 77.03
Vgg19 92.15 80.82 43.16 69.59
ResNet18 94.63 93.15 59.40 58.78
ResNet50 92.56 94.52 46.15 75.68
ResNet101 95.87 91.78 44.44 65.54
InceptionV3 96.69 94.52 59.83 76.35
InceptionResNetv2 81.40 95.89 76.07 83.11
SqueezeNet 98.35 93.15 38.03 51.35
DenseNet201 94.21 93.15 54.70 66.22
Xception 97.11 94.52 66.67 82.43
CNN-X 94.21 91.78 33.33 58.11
"""
NPV_2 = """
AlexNet 95.48 99.20 77.33 90.98
GoogleNet 94.74 97.35 78.04 94.06
Vgg16 96.89 97.95 75.75 93.20
Vgg19 96.89 97.80 77.53 90.76
ResNet18 96.45 99.20 82.85 88.85
ResNet50 95.45 99.36 78.50 92.52
ResNet101 97.20 99.04 77.89 90.17
InceptionV3 98.01 99.36 82.97 93.12
InceptionResNetv2 90.63 99.52 88.82 94.85
SqueezeNet 98.73 99.20 76.03 86.76
DenseNet201 96.50 99.21 81.21 89.96
Xception 98.34 99.36 85.45 94.85
CNN-X 95.78 99.05 74.43 88.08
"""
SENSITIVITY_3 = """
AlexNet 73.55 90.41 34.19 43.24
GoogleNet 89.26 93.15 59.40 8.78
Vgg16 80.58 89.04 49.15 12.16
Vgg19 80.58 90.41 74.79 12.84
ResNet18 75.62 93.15 44.02 20.27
ResNet50 82.23 94.52 71.37 59.46
ResNet101 88.84 95.89 29.91 44.59
InceptionV3 90.50 95.89 65.38 29.05
InceptionResNetv2 93.39 94.52 64.53 37.84
SqueezeNet 54.55 94.52 51.71 43.24
DenseNet201 72.31 97.26 38.78 13.91
Xception 95.87 94.52 24.71 38.41
CNN-X 83.47 94.52 44.44 39.86
"""
NPV_3 = """
AlexNet 84.08 98.89 74.84 81.29
GoogleNet 92.40 99.20 82.21 77.12
Vgg16 86.46 98.72 78.98 76.58
Vgg19 87.73 98.89 87.55 78.68
ResNet18 83.70 99.21 77.72 76.95
ResNet50 90.14 99.36 86.84 88.55
ResNet101 92.86 99.50 73.63 83.16
InceptionV3 93.52 99.52 84.97 8158
InceptionResNetv2 95.42 99.35 84.69 84.19
SqueezeNet 76.94 99.35 79.89 80.69
DenseNet201 82.18 99.69 74.20 75.93
Xception 97.38 99.39 70.05 80.82
CNN-X 89.25 99.35 77.70 82.89
"""
# Table 3: the error, and its interval.
ERROR_2 = """
AlexNet 0.288 0.262 0.331
GoogleNet 0.280 0.239 0.306
Vgg16 0.293 0.256 0.325
Vgg19 0.303 0.298 0.370
ResNet18 0.250 0.221 0.287
ResNet50 0.264 0.239 0.306
ResNet101 0.283 0.252 0.320
InceptionV3 0.202 0.176 0.237
InceptionResNetv2 0.185 0.160 0.220
SqueezeNet 0.324 0.298 0.370
DenseNet201 0.251 0.236 0.303
Xception 0.165 0.138 0.194
CNN-X 0.341 0.317 0.390
"""

# Tables 2 and 3 of Hasan et al.: recall, precision, accuracy, each with its standard deviation.
CVR_NET = """
CXR-Single-CL2 weighted 0.997 0.001 0.997 0.001 0.998 0.001
CXR-Multiple-CL2 weighted 0.984 0.001 0.984 0.002 0.984 0.001
CXR-Independent-CL2 weighted 0.887 - 0.885 - 0.887 -
CT-Single-CL2 weighted 0.976 0.003 0.976 0.003 0.976 0.003
CT-Multiple-CL2 weighted 0.969 0.003 0.970 0.003 0.969 0.003
CT-Independent-CL2 weighted 0.799 - 0.821 - 0.799 -
CXR-Single-CL3 NOR 0.925 0.011 0.940 0.009 - -
CXR-Single-CL3 NCP 0.978 0.003 0.969 0.006 - -
CXR-Single-CL3 CVP 0.944 0.041 0.976 0.010 - -
CXR-Single-CL3 weighted 0.964 0.005 0.963 0.004 0.964 0.005
CXR-Multiple-CL3 NOR 0.970 0.018 0.844 0.029 - -
CXR-Multiple-CL3 NCP 0.863 0.029 0.990 0.004 - -
CXR-Multiple-CL3 CVP 0.980 0.008 0.968 0.019 - -
CXR-Multiple-CL3 weighted 0.933 0.013 0.940 0.011 0.933 0.013
CXR-Multiple-CL4 NOR 0.962 0.023 0.902 0.026 - -
CXR-Multiple-CL4 OBP 0.741 0.021 0.874 0.023 - -
CXR-Multiple-CL4 OVP 0.705 0.050 0.646 0.032 - -
CXR-Multiple-CL4 CVP 0.975 0.007 0.968 0.011 - -
CXR-Multiple-CL4 weighted 0.882 0.003 0.886 0.004 0.882 0.003
"""
# Test images of one fold, or of the independent test.
CVR_NET_N = {
    "CXR-Single-CL2": 1171 + 100,
    "CXR-Multiple-CL2": 1572 + 803,
    "CXR-Independent-CL2": 1227 + 500,
    "CT-Single-CL2": 245 + 250,
    "CT-Multiple-CL2": 1572 + 803,
    "CT-Independent-CL2": 1227 + 1252,
    "CXR-Single-CL3": 316 + 854 + 100,
    "CXR-Multiple-CL3": 718 + 919 + 803,
    "CXR-Multiple-CL4": 718 + 556 + 298 + 803,
}
# Table 4: rows are the classes that are predicted; the last row of CL4 is put in order.
CVR_NET_PREDICTED = {
    "CXR-Single-CL3": ("NOR NCP CVP", "1461 80 6", "119 4185 15", "3 8 479"),
    "CXR-Multiple-CL3": ("NOR NCP CVP", "3481 577 70", "31 3964 9", "79 54 3936"),
    "CXR-Multiple-CL4": (
        "NOR OBP OVP CVP",
        "3454 156 125 99",
        "3 2061 297 1",
        "45 541 1053 1",
        "89 22 18 3914",
    ),
}
# Table 5: parameters in millions; recall, precision, accuracy on X-rays, then on CT.
NINE_NETWORKS = """
VGG-19 46 0.833 0.846 0.833 0.785 0.816 0.785
Xception 124 0.881 0.869 0.869 0.718 0.788 0.718
EfficientNet-b1 7 0.832 0.850 0.832 0.716 0.803 0.716
DenseNet-169 96 0.850 0.865 0.850 0.718 0.794 0.718
ResNet-152 84 0.829 0.866 0.829 0.705 0.784 0.705
Inception-v3 74 0.871 0.884 0.871 0.737 0.782 0.737
DarkNet_[9] 1.94 0.712 0.699 0.712 0.495 0.245 0.495
CoroNet_[10] 124 0.869 0.877 0.869 0.689 0.776 0.689
Proposed_CVR-Net 48 0.887 0.885 0.887 0.799 0.821 0.799
"""

# Tables 1 to 5 of Haghanifar et al.: rows are the classes of the images.
CXNET = {
    ("Base Model v1", "external 60"): ("Normal COVID-19", "21 9", "3 27"),
    ("Base Model v2", "single run"): ("Normal COVID-19", "598 5", "4 76"),
    ("COVID-CXNet v1", "single run"): ("Normal COVID-19", "641 4", "3 78"),
    ("Flat Multiclass COVID-CXNet", "single run"): (
        "Normal CAP CP",
        "671 44 9",
        "205 451 16",
        "6 12 126",
    ),
    ("Hierarchical Multiclass COVID-CXNet", "single run"): (
        "Normal CAP CP",
        "689 32 3",
        "143 524 5",
        "3 11 130",
    ),
}
# Table 6: accuracy of ten runs with their range, and the F-score of COVID-19.
TEN_RUNS = """
Base_Model_v1 96.10 91.40 97.10 0.82
Base_Model_v2 98.68 94.00 99.30 0.94
COVID-CXNet_v1 99.04 96.43 99.54 0.96
COVID-CXNet_v2 98.62 97.14 99.28 0.94
Flat_Multiclass_COVID-CXNet 81.04 80.25 84.86 0.85
Hierarchical_Multiclass_COVID-CXNet 87.21 86.03 89.12 0.92
"""
# Table 7: images of COVID-19, and the F-score.
CXNET_RELATED = """
Zhang_et_al 100 0.72
Khan_et_al 284 0.9560
Rajaraman_et_al 313 0.9841
Wang_and_Wang 358 0.9480
Mangal_et_al 358 0.9230
Proposed_Model 700 0.9221
"""

# Table 3 of Luiz et al.: accuracy, sensitivity, specificity, F1, in per cent.
LUIZ_RELATED = """
Ghoshal_CNN 92.9 85.7 99.4 75.0
Zhang_ResNet 96.0 96.0 70.7 73.5
Narin_ResNet50_as_cited 98.0 91.8 96.6 83.5
Wang_CNN 83.5 91.0 99.5 94.7
Karakanis_ResNet8 98.3 99.3 98.1 99.1
"""
# Table 5: sensitivity, specificity, F1 of a class; Table 6: with and without augmentation.
LUIZ_CLASSES = """
COVID-19 97.7 98.9 97.7
Normal 92.7 96.8 93.1
Pneumonia 93.5 96.3 93.0
"""
LUIZ_AUGMENTED = """
accuracy 94.6 93.84
sensitivity 94.6 94.0
specificity 97.3 96.0
"""
# Table 7: accuracy, sensitivity, specificity of the class COVID-19.
LUIZ_COVID = """
DenseNet121 98.5 97.7 98.9
RT-PCR - 84.2 98.9
CNN 93.9 85.2 98.2
Narin_ResNet50 97.0 91.1 99.7
"""

# Table I of Tartaglione et al.: positive and negative images of a part, by the set they are from.
COMPOSED = """
CORDA train CORDA 126 105
CORDA test CORDA 90 45
CORDA&ChestXRay train CORDA 207 105
CORDA&ChestXRay train ChestXRay - 102
CORDA&ChestXRay train - 207 207
CORDA&ChestXRay test CORDA 90 45
CORDA&ChestXRay test ChestXRay - 45
CORDA&ChestXRay test - 90 90
CORDA&RSNA train CORDA 207 105
CORDA&RSNA train RSNA - 102
CORDA&RSNA train - 207 207
CORDA&RSNA test CORDA 90 45
CORDA&RSNA test RSNA - 45
CORDA&RSNA test - 90 90
CORDA&COVID-ChestXRay train CORDA 116 105
CORDA&COVID-ChestXRay train COVID-ChestXRay 49 24
CORDA&COVID-ChestXRay train - 165 129
CORDA&COVID-ChestXRay test CORDA 90 45
CORDA&COVID-ChestXRay test COVID-ChestXRay 10 5
CORDA&COVID-ChestXRay test - 100 50
COVID-ChestXRay train COVID-ChestXRay 98 24
COVID-ChestXRay test COVID-ChestXRay 10 5
"""
# Table 1 of Hasan et al.: images of a class, for training and for the independent test.
TASKS = """
CXR-Single-CL2 NCV 5856 -
CXR-Single-CL2 CVP 500 -
CXR-Multiple-CL2 NCV 7864 -
CXR-Multiple-CL2 CVP 4015 -
CXR-Independent-CL2 NCV 6958 1227
CXR-Independent-CL2 CVP 3515 500
CT-Single-CL2 NCV 1227 -
CT-Single-CL2 CVP 1252 -
CT-Multiple-CL2 NCV 7864 -
CT-Multiple-CL2 CVP 4015 -
CT-Independent-CL2 NCV 16616 1227
CT-Independent-CL2 CVP 6472 1252
CXR-Single-CL3 NOR 1583 -
CXR-Single-CL3 NCP 4273 -
CXR-Single-CL3 CVP 500 -
CXR-Multiple-CL3 NOR 3591 -
CXR-Multiple-CL3 NCP 4595 -
CXR-Multiple-CL3 CVP 4015 -
CXR-Multiple-CL4 NOR 3591 -
CXR-Multiple-CL4 OBP 2780 -
CXR-Multiple-CL4 OVP 1493 -
CXR-Multiple-CL4 CVP 4015 -
"""


def lines(block: str) -> list[list[str]]:
    """Split a block into its cells; `_` is a space within one, `-` is nothing."""
    rows = [line.split() for line in block.strip().splitlines()]
    return [["" if cell == "-" else cell.replace("_", " ") for cell in row] for row in rows]
