"""Terms for gradients and training."""

from __future__ import annotations

from .term import Term, on_page

GRADIENTS = (
    Term(
        "Gradient",
        "For every weight, how the loss changes if the weight grows a little. Training moves each weight a small step "
        "against its gradient.",
        "PyTorch documentation, A gentle introduction to torch.autograd",
        on_page("#gradient-plot"),
        ("backpropagation", "backward pass", "gradient norm"),
    ),
    Term(
        "Vanishing gradient",
        "The gradient shrinks from layer to layer on its way back, until the first layers learn nothing. Small weights "
        "without normalisation cause it.",
        "Glorot and Bengio 2010, section 4",
        on_page("#gradient-plot"),
        ("vanishing gradients",),
    ),
    Term(
        "Exploding gradient",
        "The gradient grows from layer to layer on its way back, until steps are too large to learn. Plain networks "
        "with batch norm show it at the start.",
        "Yang et al. 2019, A Mean Field Theory of Batch Normalization",
        on_page("#sweep-plot"),
        ("exploding gradients",),
    ),
    Term(
        "Degradation",
        "A deeper plain network does worse than a shallower one, on the training images too. That cannot be "
        "overfitting, and shortcuts were invented to solve it.",
        "He et al. 2015, section 1 and figure 1",
        on_page("#degradation"),
        ("degradation problem",),
    ),
)

TRAINING = (
    Term(
        "Loss",
        "One number that says how wrong the answers are; training makes it smaller. Classification uses cross-entropy, "
        "which is large if the right class has a low score.",
        "PyTorch documentation, torch.nn.CrossEntropyLoss",
        on_page("#training-loss"),
        ("cross-entropy", "training loss"),
    ),
    Term(
        "Accuracy",
        "The share of images whose right class comes first. Always ask on which images: those trained on, or unseen "
        "ones.",
        "scikit-learn documentation, accuracy_score",
        on_page("#training-accuracy"),
        ("correct answers",),
    ),
    Term(
        "Epoch",
        "One pass over all training images. The next epoch shows every image again, in a new order.",
        "Goodfellow et al. 2016, section 8.1.3",
        on_page('input[aria-label="Epochs"]'),
        ("epochs",),
    ),
    Term(
        "Step",
        "One update of all weights, computed from one batch. An epoch has as many steps as there are batches.",
        "Goodfellow et al. 2016, section 8.1.3",
        on_page("#training-charts"),
        ("iteration", "update"),
    ),
    Term(
        "Batch size",
        "The number of images that one step looks at together. Larger batches give steadier steps and need more "
        "memory.",
        "Goyal et al. 2017, section 2",
        on_page('input[aria-label="Batch size"]'),
        ("mini-batch", "batch"),
    ),
    Term(
        "Learning rate",
        "The length of each step. Too small and training crawls, too large and it jumps about or diverges.",
        "PyTorch documentation, torch.optim.SGD, lr",
        on_page('input[aria-label="Learning rate"]'),
        ("lr", "step size"),
    ),
    Term(
        "Learning rate schedule",
        "How the learning rate changes during training. It usually ends small, so that the weights can settle.",
        "Loshchilov and Hutter 2017, section 3",
        on_page("#training-rate"),
        ("schedule", "cosine", "one cycle"),
    ),
    Term(
        "Momentum",
        "Each step keeps a part of the direction of the steps before. Steps that agree add up, and zigzags cancel out.",
        "Sutskever et al. 2013, section 2",
        on_page('input[aria-label="Momentum"]'),
        ("Nesterov's momentum", "heavy ball"),
    ),
    Term(
        "Weight decay",
        "Every step also shrinks all weights a little. It discourages large weights and often helps on unseen images.",
        "Krogh and Hertz 1991, section 1",
        on_page('input[aria-label="Weight decay"]'),
        ("L2 regularisation", "L2 regularization"),
    ),
    Term(
        "Label smoothing",
        "The target gives the right class a little less than 1 and all others a little more than 0. Networks become "
        "less sure of themselves.",
        "Szegedy et al. 2016, section 7",
        on_page('input[aria-label="Label smoothing"]'),
    ),
    Term(
        "Data augmentation",
        "Training images are shifted or mirrored at random, so the network rarely sees the same picture twice. It "
        "reduces overfitting.",
        "He et al. 2015, section 4.2",
        on_page('input[aria-label="Augmentation"]'),
        ("augmentation", "random crop", "flip"),
    ),
    Term(
        "Seed",
        "The number that random choices start from. Equal seeds give equal weights, orders and crops, so a run can be "
        "repeated exactly.",
        "PyTorch documentation, Reproducibility",
        on_page('input[aria-label="Seed of training"]'),
        ("random seed", "first seed", "seeds"),
    ),
    Term(
        "Overfitting",
        "The network learns its training images by heart and does worse on unseen ones. Look for a high training "
        "accuracy beside a low test accuracy.",
        "Goodfellow et al. 2016, section 5.2",
        on_page("#training-accuracy"),
        ("memorising", "overfit"),
    ),
    Term(
        "Generalisation gap",
        "Training accuracy minus test accuracy. A large gap means that what was learned does not carry over to unseen "
        "images.",
        "Keskar et al. 2017, section 1",
        on_page("#training-accuracy"),
        ("generalization gap",),
    ),
    Term(
        "Checkpoint",
        "A file with the weights of a network at one moment of training. It can be opened later to continue, or to use "
        "the network.",
        "PyTorch documentation, Saving and Loading Models",
        on_page("#training-runs"),
        ("weight file", "state_dict"),
    ),
)
