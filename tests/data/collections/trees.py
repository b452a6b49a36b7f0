"""A small tree of every collection's published shape, its quirks and one absent file included.

A name maps to the text of a file, or to None for an image.
"""

CHEXPERT = (
    "Path",
    "Sex",
    "Age",
    "Frontal/Lateral",
    "AP/PA",
    "No Finding",
    "Enlarged Cardiomediastinum",
    "Cardiomegaly",
    "Lung Opacity",
    "Lung Lesion",
    "Edema",
    "Consolidation",
    "Pneumonia",
    "Atelectasis",
    "Pneumothorax",
    "Pleural Effusion",
    "Pleural Other",
    "Fracture",
    "Support Devices",
)


def chexpert(*rows: tuple[str, dict[str, str]]) -> str:
    """Write CheXpert's table: five cells as they stand, then the findings by their names."""
    lines = [",".join(CHEXPERT)]
    for first, findings in rows:
        lines.append(",".join((first, *(findings.get(name, "") for name in CHEXPERT[5:]))))
    return "\n".join(lines) + "\n"


SMALL = "CheXpert-v1.0-small"
CHNCXR = "ChinaSet_AllFiles/CXR_png/CHNCXR"

TREES: dict[str, dict[str, str | bytes | None]] = {
    "actualmed": {
        "metadata.csv": (
            "patientid,offset,sex,age,finding,survival,temperature,pO2 saturation,view,modality,"
            "imagename,artifacts/distortion,notes\n"
            'ANON56,,,,No finding,,,,PA,X-ray,CR.1.2.840.png,,"Negative, taken 20200317"\n'
            'ANON196,,,,,,,,PA,X-ray,CR.1.2.841.png,,"Inconclusive, taken 20200313"\n'
            'ANON196,,,,COVID-19,,,,AP,X-ray,CR.1.2.842.png,,", taken 20200318"\n'
            "ANON7,,,,COVID-19,,,,AP,X-ray,CR.1.2.843.png,,\n"
        ),
        "images/CR.1.2.840.png": None,
        "images/CR.1.2.841.png": None,
        "images/CR.1.2.842.png": None,
        "images/SAMPLE.png": None,
    },
    "andrewmvd": {
        "X rays/00870a9c.jpg": None,
        "X rays/16654_2_1.png": None,
        "X rays/metadata.csv": "Unnamed: 0,finding\n",
    },
    "armiro": {
        # Names of images that are not there, an ending that few know, patients of several images.
        "metadata.csv": (
            "filename,patient_id,sex,age,view,label,pcr_test,survival,location,admission_offset,"
            "symptom_offset,also_had_ct,has_fever,has_cough,has_dyspnea,has_diarrhea,spo2,"
            "other_symptoms,medical_background,opacification,other,is_bilateral,url\n"
            "260.jpg,10,female,68,,COVID-19,positive,,Spain,,,,1,1,,,,,,,,,https://x.org/1\n"
            "261.jpg,11,male,47,PA,COVID-19,positive,,Spain,1,,,1,,,,,,,,,,https://x.org/1\n"
            "262.jfif,11,male,47,,COVID-19,positive,,Spain,4,,,1,,,,,,,,,,https://x.org/1\n"
            "280-.jpg,18,male,67,PA,COVID-19,positive,,Spain,1,,,1,1,,,,,,,,,https://x.org/1\n"
        ),
        "chest_xray_images/covid19/001.jpeg": None,
        "chest_xray_images/covid19/260.jpg": None,
        "chest_xray_images/covid19/261.jpg": None,
        "chest_xray_images/covid19/262.jfif": None,
        "documents/case#1.png": None,
    },
    "bimcv": {
        "derivatives/labels/labels_covid19_posi.tsv": (
            "\tPatientID\tReportID\tReport\tLabels\tLocalizations\n"
            "0\tsub-S03047\tses-E06072\t.\t['COVID 19' 'pneumonia']\t['loc right']\n"
            "1\tsub-S03047\tses-E07985\t.\t\"['normal'\t 'unchanged']\"\t[]\n"
        ),
        "participants.tsv": (
            "participant\tmodality_dicom\tbody_parts\tage\tgender\n"
            "sub-S03047\t['CR', 'DX']\t['CHEST']\t['72']\tM\n"
            "derivatives\t[]\t[]\t\tNone\n"
        ),
        "sub-S03047/ses-E06072/mod-rx/sub-S03047_ses-E06072_run-1_bp-chest_vp-ap_cr.png": None,
        "sub-S03047/ses-E06072/mod-rx/sub-S03047_ses-E06072_run-1_bp-chest_vp-ap_cr.json": (
            '{"00280004": {"vr": "CS", "Value": ["MONOCHROME1"]}}'
        ),
        "sub-S03047/ses-E06072/mod-rx/sub-S03047_ses-E06072_run-2_bp-chest_ct.nii.gz": b"\x1f\x8b",
        "sub-S03047/ses-E07985/mod-rx/sub-S03047_ses-E07985_run-1_bp-chest_dx.png": None,
        "sub-S03047/ses-E07985/mod-rx/sub-S03047_ses-E07985_run-1_bp-chest_dx.json": (
            '{"00280004": {"vr": "CS", "Value": ["MONOCHROME2"]},'
            ' "00185101": {"vr": "CS", "Value": ["PA"]}}'
        ),
        "sub-S03999/ses-E08000/mod-rx/sub-S03999_ses-E08000_acq-1_bp-chest_vp-ll_dx.png": None,
    },
    "ccii": {
        "unzip_filenames.csv": (
            "zip_file,label,patient_id,scan_id,n_slice\n"
            "NCP-1.zip,NCP,328,1805,2\n"
            "NCP-13.zip,NCP,911,2453,80\n"
            "CP-3.zip,CP,1070,3100,1\n"
            "Normal-2.zip,Normal,328,640,1\n"
        ),
        "lesions_slices.csv": "imgpath\nNCP/328/1805/0001.png\n",
        "NCP/328/1805/0000.png": None,
        "NCP/328/1805/0001.png": None,
        "CP/1070/3100/0000.jpg": None,
        "Normal/328/640/0000.jpg": None,
        "Normal/stray.png": None,
    },
    "ccxri": {
        "COVID-19_Radiography_Dataset/COVID/images/COVID-1.png": None,
        "COVID-19_Radiography_Dataset/COVID/masks/COVID-1.png": None,
        "COVID-19_Radiography_Dataset/COVID.metadata.xlsx": b"PK\x03\x04",
        "COVID-19_Radiography_Dataset/Lung_Opacity/images/Lung_Opacity-1.png": None,
        "COVID-19_Radiography_Dataset/Lung_Opacity/masks/Lung_Opacity-1.png": None,
        "COVID-19_Radiography_Dataset/Normal/images/Normal-1.png": None,
        "COVID-19_Radiography_Dataset/Viral Pneumonia/images/Viral Pneumonia-1.png": None,
        "COVID-19_Radiography_Dataset/Viral Pneumonia/masks/Viral Pneumonia-1.png": None,
    },
    "chexpert": {
        f"{SMALL}/train.csv": chexpert(
            (
                f"{SMALL}/train/patient00001/study1/view1_frontal.jpg,Female,68,Frontal,AP",
                {"No Finding": "1.0", "Pneumothorax": "0.0", "Support Devices": "1.0"},
            ),
            (
                f"{SMALL}/train/patient00002/study1/view1_frontal.jpg,Male,87,Frontal,PA",
                {"Lung Opacity": "1.0", "Pneumonia": "1.0", "Pleural Effusion": "-1.0"},
            ),
            (
                f"{SMALL}/train/patient00002/study2/view1_frontal.jpg,Male,87,Frontal,PA",
                {"Lung Opacity": "1.0", "Edema": "-1.0", "Pneumonia": "-1.0"},
            ),
            (
                f"{SMALL}/train/patient00002/study2/view2_lateral.jpg,Male,87,Lateral,",
                {"Cardiomegaly": "1.0"},
            ),
            (
                f"{SMALL}/train/patient00003/study1/view1_frontal.jpg,Unknown,0,Frontal,AP",
                {"Support Devices": "1.0"},
            ),
            (
                f"{SMALL}/train/patient00004/study1/view1_frontal.jpg,Male,20,Frontal,AP",
                {"No Finding": "1.0"},
            ),
        ),
        f"{SMALL}/valid.csv": chexpert(
            (
                f"{SMALL}/valid/patient64541/study1/view1_frontal.jpg,Male,73,Frontal,AP",
                {"Cardiomegaly": "1.0", "Lung Opacity": "1.0", "Pneumonia": "0.0"},
            ),
        ),
        f"{SMALL}/train/patient00001/study1/view1_frontal.jpg": None,
        f"{SMALL}/train/patient00002/study1/view1_frontal.jpg": None,
        f"{SMALL}/train/patient00002/study2/view1_frontal.jpg": None,
        f"{SMALL}/train/patient00002/study2/view2_lateral.jpg": None,
        f"{SMALL}/train/patient00003/study1/view1_frontal.jpg": None,
        f"{SMALL}/valid/patient64541/study1/view1_frontal.jpg": None,
    },
    "cohen": {
        # The header ends in an empty column, as published.
        "metadata.csv": (
            "patientid,sex,age,finding,view,modality,folder,filename,\n"
            "2,M,65,COVID-19,PA,X-ray,images,a.jpeg,\n"
            '2,M,65,"COVID-19, ARDS",AP Supine,X-ray,images,b.png,\n'
            "007,F,30-40,No Finding,?,X-ray,images,c.jpg,\n"
            "8,,,Tuberculosis,L,X-ray,images,d.jpg,\n"
            "9,,,SARS,AP semi erect,X-ray,images,e.jpg,\n"
            "10,,,todo,PA,X-ray,images,f.jpg,\n"
            "11,,,COVID-19,Axial,CT,volumes,g.nii.gz,\n"
            "12,,,COVID-19,PA,X-ray,images,absent.jpg,\n"
            "339,,,SARS,PA,X-ray,images,e.jpg,\n"
        ),
        "images/a.jpg": None,
        "images/b.jpg": None,
        "images/c.jpg": None,
        "images/d.jpg": None,
        "images/e.jpg": None,
        "images/f.jpg": None,
        "images/new.jpg": None,
        "masks/b.png": None,
    },
    "corda": {
        "CORDA.csv": (
            "image_id,covid,rx,dataset\n"
            "p1,1,1,CORDA-dataset\n"
            "p2,1,0,CORDA-dataset\n"
            "p3,0,0,CORDA-dataset\n"
            "p4,0,1,CORDA-dataset\n"
            "p5,0,1,CORDA-dataset\n"
        ),
        "RX+-COVID+/p1.png": None,
        "RX--COVID+/p2.png": None,
        "RX--COVID-/p3.png": None,
        "RX+-COVID-/p4.png": None,
        "RX+-COVID-/p6.png": None,
    },
    "covidx": {
        "train.txt": (
            "5 ARDSSevere.png pneumonia cohen\n"
            "COVID-00003b COVID-00003b.jpg COVID-19 fig1\n"
            "\n"
            "ANON56 CR.1.2.png normal actmed\n"
            "gone gone.png normal rsna\n"
        ),
        "test.txt": (
            "419639-003251 MIDRC-RICORD-1C-419639-003251-46647-0.png positive ricord\n"
            "47c78742 47c78742.png negative rsna\n"
            "19 old.jpg COVID-19\n"
        ),
        "train/ARDSSevere.png": None,
        "train/COVID-00003b.jpg": None,
        "train/CR.1.2.png": None,
        "test/MIDRC-RICORD-1C-419639-003251-46647-0.png": None,
        "test/47c78742.png": None,
        "test/old.jpg": None,
        "competition_test/1.png": None,
    },
    "figure1": {
        # Windows-1252, as published.
        "metadata.csv": (
            "patientid,offset,sex,age,finding,survival,temperature,pO2 saturation,view,modality,"
            "artifacts/distortion,notes\n"
            "COVID-00001,13,M,33,COVID-19,,,58,AP erect,X-ray,,\n"
            "COVID-00007,,,73,,,38+,,,X-ray,,Fever 38° + cough\n"
            "COVID-00015a,,,67+,COVID-19,,,,,X-ray,,low 90\u2019s\n"
            "COVID-00015b,,,67+,COVID-19,,,,,X-ray,,\n"
            "COVID-00023,,,,No finding,,,,,X-ray,,\n"
            "COVID-00031,,,,Pneumonia,,,,,X-ray,,\n"
            "COVID-00048,,,,COVID-19,,,,AP,X-ray,,\n"
        ).encode("cp1252"),
        "images/COVID-00001.jpg": None,
        "images/COVID-00007.jpg": None,
        "images/COVID-00015a.png": None,
        "images/COVID-00015b.png": None,
        "images/COVID-00023.jpg": None,
        "images/COVID-00031.jpg": None,
    },
    "folder": {
        "train/covid/a.png": None,
        "test/normal/b.png": None,
        "c.png": None,
    },
    "hannover": {
        "data.csv": (
            "patient_id,image_id,sex,age,size,weight,admission_offset,modality,projection\n"
            "024e7871,fff13f3a,f,,,,0,CR,pa\n"
            "042f06a9,b343e657,m,70,,,0,DX,ap\n"
            "042f06a9,c9280a30,m,,,,-2,CT,\n"
            "042f06a9,53c9be49,m,,,,-5,CR,ap\n"
        ),
        "png/fff13f3a.png": None,
        "png/b343e657.png": None,
    },
    "ictcf": {
        "nCT/nCT1.jpg": None,
        "nCT/nCT9762.jpg": None,
        "pCT/pCT3593.jpg": None,
        "NiCT/NiCT12.jpg": None,
    },
    "kermany": {
        "chest_xray/train/NORMAL/IM-0115-0001.jpeg": None,
        "chest_xray/train/NORMAL/NORMAL2-IM-0115-0001.jpeg": None,
        "chest_xray/train/PNEUMONIA/person1000_bacteria_2931.jpeg": None,
        "chest_xray/train/PNEUMONIA/person1000_virus_1681.jpeg": None,
        "chest_xray/train/PNEUMONIA/VIRUS-40699-0001.jpeg": None,
        "chest_xray/val/PNEUMONIA/strange.jpeg": None,
        "chest_xray/test/NORMAL/IM-0001-0001.jpeg": None,
        "chest_xray/test/figure.jpeg": None,
        "chest_xray/chest_xray/test/NORMAL/IM-0001-0001.jpeg": None,
        "chest_xray/__MACOSX/test/NORMAL/._IM-0001-0001.jpeg": None,
    },
    "mgc": {
        "Images-processed/CT_COVID/2020.02.10.20021584-p6-52%0.png": None,
        "Images-processed/CT_COVID/2020.02.10.20021584-p6-52%1.png": None,
        "Images-processed/CT_COVID/kjr-21-e24-g1-l-a.jpg": None,
        "Images-processed/CT_NonCOVID/1%0.jpg": None,
        "Images-processed/CT_COVID.zip": b"PK\x03\x04",
        "COVID-CT-MetaInfo.xlsx": b"PK\x03\x04",
        "Data-split/COVID/trainCT_COVID.txt": "2020.02.10.20021584-p6-52%0.png\n",
        "Data-split/COVID/testCT_COVID.txt": "kjr-21-e24-g1-l-a.jpg\n",
        "Data-split/NonCOVID/valCT_NonCOVID.txt": "1%0.jpg\n",
    },
    "montgomery": {
        "MontgomerySet/ClinicalReadings/MCUCXR_0001_0.txt": (
            "Patient's Sex: F \nPatient's Age: 027Y\nnormal\n"
        ),
        "MontgomerySet/ClinicalReadings/MCUCXR_0104_1.txt": (
            "Patient's Sex: M\r\nPatient's Age: 051Y\r\ncavitary infiltrate in RUL; active TB\r\n"
        ),
        "MontgomerySet/ClinicalReadings/MCUCXR_0108_1.txt": b"Patient's Sex: M \xff",
        "MontgomerySet/CXR_png/MCUCXR_0001_0.png": None,
        "MontgomerySet/CXR_png/MCUCXR_0104_1.png": None,
        "MontgomerySet/CXR_png/MCUCXR_0108_1.png": None,
        "MontgomerySet/CXR_png/Thumbs.png": None,
        "MontgomerySet/ManualMask/leftMask/MCUCXR_0001_0.png": None,
        "MontgomerySet/ManualMask/rightMask/MCUCXR_0001_0.png": None,
        "masks/MCUCXR_0104_1.png": None,
    },
    "nih": {
        # Unquoted commas in the header and an empty column at its end, as published.
        "Data_Entry_2017.csv": (
            "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,"
            "View Position,OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],\n"
            "00000001_000.png,Cardiomegaly,0,1,058Y,M,PA,2682,2749,0.143,0.143,\n"
            "00000002_000.png,No Finding,0,2,411,F,AP,2500,2048,0.168,0.168,\n"
            "00000003_000.png,Edema|Pneumonia,0,3,007M,F,AP,2500,2048,0.168,0.168,\n"
            "00000004_000.png,No Finding,0,4,82,M,AP,2500,2048,0.168,0.168,\n"
        ),
        "test_list.txt": "00000003_000.png\n00000004_000.png\n",
        "train_val_list.txt": "00000001_000.png\n",
        "images_001/images/00000001_000.png": None,
        "images_001/images/00000002_000.png": None,
        "images_002/images/00000003_000.png": None,
        "images_002/images/00000009_000.png": None,
    },
    "padchest": {
        # The first column is an index without a name, as published.
        "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv": (
            ",ImageID,ImageDir,StudyDate_DICOM,StudyID,PatientID,PatientBirth,PatientSex_DICOM,"
            "Projection,Labels\n"
            "0,1_a.png,0,20140915,s1,839860488694292331,1930.0,F,PA,\"['normal']\"\n"
            "1,2_b.png,0,20121010,s2,0207,1947,M,AP_horizontal,"
            "\"['infiltrates', ' pneumonia', '']\"\n"
            "2,3_c.png,17,20121010,s3,8,,O,L,\"['tuberculosis', 'unchanged', nan]\"\n"
            "3,4_d.png,17,20121010,s4,9,1990.0,M,COSTAL,\"['tuberculosis sequelae', 'normal']\"\n"
            "4,5_e.png,17,20121010,s4,9,1990.0,M,PA,\"['unchanged']\"\n"
            "5,6_f.png,17,20121010,s5,9,1990.0,M,PA,\n"
            "6,7_g.png,17,20121010,s6,9,1990.0,M,EXCLUDE,\"['normal']\"\n"
            "7,8_h.png,54,20121010,s7,9,1990.0,M,PA,\"['normal']\"\n"
        ),
        "0/1_a.png": None,
        "0/2_b.png": None,
        "17/3_c.png": None,
        "17/4_d.png": None,
        "17/5_e.png": None,
        "17/6_f.png": None,
        "17/7_g.png": None,
    },
    "prashant268": {
        "Data/train/COVID19/COVID19(0).jpg": None,
        "Data/train/NORMAL/NORMAL(0).jpg": None,
        "Data/train/PNEUMONIA/PNEUMONIA(0).jpg": None,
        "Data/test/COVID19/COVID19(460).jpg": None,
        "Data/cover.jpg": None,
    },
    "rsna": {
        "stage_2_train_labels.csv": (
            "patientId,x,y,width,height,Target\n"
            "0004cfab,,,,,0\n"
            "00436515,264.0,152.0,213.0,379.0,1\n"
            "00436515,562.0,152.0,256.0,453.0,1\n"
            "000924cf,,,,,0\n"
            "00aaaaaa,,,,,0\n"
            "00bbbbbb,,,,,0\n"
        ),
        "stage_2_detailed_class_info.csv": (
            "patientId,class\n"
            "0004cfab,No Lung Opacity / Not Normal\n"
            "00436515,Lung Opacity\n"
            "00436515,Lung Opacity\n"
            "000924cf,Normal\n"
            "00bbbbbb,Normal\n"
        ),
        "stage_2_train_images/0004cfab.dcm": None,
        "stage_2_train_images/00436515.dcm": None,
        "stage_2_train_images/000924cf.dcm": None,
        "stage_2_train_images/00aaaaaa.dcm": None,
        "stage_2_test_images/0000a175.dcm": None,
    },
    "scov": {
        "COVID/Covid (1).png": None,
        "COVID/Covid (2).png": None,
        "non-COVID/Non-Covid (1).png": None,
    },
    "shenzhen": {
        "ChinaSet_AllFiles/ClinicalReadings/CHNCXR_0001_0.txt": "male 45yrs\nnormal\n",
        "ChinaSet_AllFiles/ClinicalReadings/CHNCXR_0115_0.txt": "male 16month\nnormal\n",
        "ChinaSet_AllFiles/ClinicalReadings/CHNCXR_0327_1.txt": "femal , 28 yrs\r\nSTB\r\nright",
        f"{CHNCXR}_0001_0.png": None,
        f"{CHNCXR}_0115_0.png": None,
        f"{CHNCXR}_0327_1.png": None,
        f"{CHNCXR}_0328_1.png": None,
        "mask/CHNCXR_0001_0_mask.png": None,
        "ChinaSet_AllFiles/Annotations-2/masks/CHNCXR_0327_1_Cavity_1.png": None,
    },
}
