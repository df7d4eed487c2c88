"""Terms for using a trained network: its answers, what they mean, and learning from few photos."""

from __future__ import annotations

from .term import Term, on_page

ANSWERS = (
    Term(
        "Logit",
        "The raw output of the network for one class, before softmax. Only differences between logits matter, since "
        "softmax ignores a number added to all of them.",
        "PyTorch documentation, torch.nn.CrossEntropyLoss, input",
        on_page("#why"),
        ("logits",),
    ),
    Term(
        "Softmax score",
        "Logits turned into positive numbers that add up to 1. A score of 90 % does not promise that 90 of 100 such "
        "answers are right.",
        "PyTorch documentation, torch.nn.Softmax",
        on_page("#classify-panel"),
        ("softmax", "score", "confidence", "probability"),
    ),
    Term(
        "Top-1 accuracy",
        "The share of test images whose right class has the highest score. Top-5 also counts images whose right class "
        "is among the five highest.",
        "Russakovsky et al. 2015, section 4.1",
        on_page("#nets-panel"),
        ("top-1", "top-5", "top-1 error"),
    ),
    Term(
        "Calibration",
        "Scores are calibrated if answers with 80 % are right in 80 of 100 cases. Modern networks tend to be too sure.",
        "Guo et al. 2017, section 2",
        on_page("#classify-panel"),
        ("calibrated", "temperature scaling"),
    ),
    Term(
        "Preprocessing",
        "What happens to a photo before the network reads it: resize, crop, and scaling of the colours. It must be the "
        "same as in training.",
        "torchvision documentation, Models and pre-trained weights",
        on_page("#classify-panel"),
        ("transform", "preprocessed input", "resize and crop"),
    ),
    Term(
        "Pretrained weights",
        "Weights that somebody has trained before, usually on ImageNet. They save days of training and are the start "
        "of most transfer learning.",
        "torchvision documentation, Models and pre-trained weights",
        on_page("#variant"),
        ("pretrained network", "ImageNet weights"),
    ),
    Term(
        "Grad-CAM",
        "A heat map of the places that speak for one class. It weights each feature map by its mean gradient, then "
        "adds them up.",
        "Selvaraju et al. 2017, section 3",
        on_page("#why"),
        ("class activation map", "heat map"),
    ),
    Term(
        "Branch strength",
        "The norm of F(x) divided by the norm of x. Near 0 the block changes its input little; above 1 the branch "
        "outweighs the shortcut.",
        "He et al. 2015, section 4.2",
        on_page("#why"),
        ("branch ÷ shortcut",),
    ),
    Term(
        "Contribution",
        "How much a class's logit falls when one block's branch is switched off; if the logit rises instead, the "
        "contribution is negative. Blocks build on each other, so contributions do not add up to the logit.",
        "Veit et al. 2016, section 4.1",
        on_page("#why"),
        ("block contribution", "ablation", "switch off a block"),
    ),
    Term(
        "In-distribution",
        "An image of the kind that the network was trained on. Only for such images can its accuracy be expected.",
        "Hendrycks and Gimpel 2017, section 2",
        on_page("#classify-panel"),
        (),
    ),
    Term(
        "Out-of-distribution",
        "An image unlike anything in training. The network still names one of its classes, so its score says little.",
        "Hendrycks and Gimpel 2017, section 2",
        on_page("#classify-panel"),
        ("OOD",),
    ),
)

TRANSFER = (
    Term(
        "Transfer learning",
        "A network that was trained for one task is used for another. A few photos then suffice, because the network "
        "already knows edges, textures and parts.",
        "Yosinski et al. 2014, section 1",
        on_page("#transfer-panel"),
        ("knowledge transfer",),
    ),
    Term(
        "Feature extraction",
        "The network stays as it is and only turns photos into features, the numbers before its head. Another model "
        "then learns from these.",
        "PyTorch tutorial, Transfer Learning for Computer Vision",
        on_page("#transfer-panel"),
        ("frozen network", "fixed feature extractor"),
    ),
    Term(
        "Linear probe",
        "A linear layer trained on the features of a frozen network. Its accuracy shows how much the features already "
        "know about the classes.",
        "Alain and Bengio 2017, section 3",
        on_page("#transfer-panel"),
        ("linear head", "linear classifier"),
    ),
    Term(
        "Fine-tuning",
        "Training continues on new images, with a small learning rate, in all or the last layers. It needs more images "
        "than a linear probe and adapts the features too.",
        "PyTorch tutorial, Transfer Learning for Computer Vision",
        on_page("#transfer-panel"),
        ("finetuning", "fine-tuned head"),
    ),
    Term(
        "Cross-validation",
        "The images are split into parts, and each part is tested by a model that was trained on the others. Every "
        "image is thus tested unseen.",
        "scikit-learn documentation, Cross-validation",
        on_page("#transfer-panel"),
        ("cross-validated accuracy", "k-fold"),
    ),
)
