"""Where a part is in the tables of the papers, and in what this network departs from them.

He et al. 2015, "Deep Residual Learning for Image Recognition": Table 1 (ImageNet) and section 4.2 (CIFAR-10); He et al.
2016, "Identity Mappings in Deep Residual Networks", for the pre-activation networks on CIFAR-10.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...spec import DEPTHS, Activation, Block, BlockPlan, Norm, ResNetSpec, Shortcut, Stem, StrideOn, block_of_depth
from ...spec.options import mode_that_builds

TABLE_1 = "He et al. 2015, Table 1"
CIFAR = "He et al. 2015, section 4.2"
PREACT = "He et al. 2016"
_WIDTHS = {TABLE_1: (64, 128, 256, 512), CIFAR: (16, 32, 64), PREACT: (16, 32, 64)}
# Table 3 of He et al. 2015 compares them on ResNet-34.
_OPTIONS = (Shortcut.ZERO_PAD, Shortcut.PROJECTION, Shortcut.PROJECTION_ALL)
_SIDES = {TABLE_1: (56, 28, 14, 7), CIFAR: (32, 16, 8), PREACT: (32, 16, 8)}


@dataclass(frozen=True)
class Place:
    """A part's place.

    Attributes:
        where: "conv3_x, block 2 of 4 of ResNet-50 (He et al. 2015, Table 1)"; or that there is none.
        says: what the paper has there; empty where it has nothing.
        differs: a sentence for each thing that is otherwise in this network.
        notes: a sentence for each choice that the paper measures too, though not in this place.
    """

    where: str
    says: str = ""
    differs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableColumn:
    """A network of a paper.

    Attributes:
        name: "ResNet-50".
        paper: where it is described.
        form: its block.
        repeats: blocks in each stage.
        shortcuts: options that the paper measured with it.
    """

    name: str
    paper: str
    form: Block
    repeats: tuple[int, ...]
    shortcuts: tuple[Shortcut, ...]

    def label(self, stage: int) -> str:
        """conv2_x … for Table 1; for CIFAR the stage's map."""
        side = _SIDES[self.paper][stage - 1]
        return f"conv{stage + 1}_x" if self.paper == TABLE_1 else f"The {side}×{side} stage"

    def row(self, stage: int) -> str:
        """[1×1, 128; 3×3, 128; 1×1, 512] × 4, output 28×28."""
        width, side = _WIDTHS[self.paper][stage - 1], _SIDES[self.paper][stage - 1]
        return f"[{convolutions(self.form, width)}] × {self.repeats[stage - 1]}, output {side}×{side}"


def convolutions(form: Block, base: int, width: int | None = None, groups: int = 1) -> str:
    """1×1, 128; 3×3, 128; 1×1, 512. ``width``: of the 3×3, where it is not the stage's ``base``."""
    channels = {"width": base if width is None else width, "out_channels": base * form.expansion}
    grouped = f", {groups} groups" if groups > 1 else ""
    return "; ".join(
        f"{conv.kernel}×{conv.kernel}, {channels[conv.outputs]}{grouped if conv.grouped else ''}"
        for conv in form.form.convs
    )


def column(spec: ResNetSpec) -> TableColumn | None:
    """The papers' network with the same stages and the same kind of block, whatever else differs."""
    bottleneck, repeats = spec.block.is_bottleneck, spec.depths
    forms = {depth: block_of_depth(depth) for depth, depths in DEPTHS.items() if depths == repeats}
    named = [depth for depth, form in forms.items() if form.is_bottleneck == bottleneck]
    if named:
        form = forms[named[0]]
        options = {18: _OPTIONS[:1], 34: _OPTIONS}.get(named[0], _OPTIONS[1:2])
        return TableColumn(f"ResNet-{named[0]}", TABLE_1, form, repeats, options)
    n = repeats[0]
    if repeats != (n, n, n):
        return None
    if not bottleneck and n in (3, 5, 7, 9, 18, 200):
        return TableColumn(f"ResNet-{6 * n + 2}", CIFAR, Block.BASIC, repeats, (Shortcut.ZERO_PAD,))
    if spec.block is Block.PREACT_BOTTLENECK and n in (18, 111):
        name = f"pre-activation ResNet-{9 * n + 2}"
        return TableColumn(name, PREACT, Block.PREACT_BOTTLENECK, repeats, (Shortcut.PROJECTION,))
    return None


def no_place(spec: ResNetSpec) -> Place:
    """The place of a network that no table has."""
    kind = "bottleneck" if spec.block.is_bottleneck else "basic"
    return Place(f"No table of He et al. 2015 has a network of {'-'.join(map(str, spec.depths))} {kind} blocks.")


def block_place(spec: ResNetSpec, plan: BlockPlan, side: int, count: int = 1) -> Place:
    """The place of a block, or of the first of ``count`` equal ones; ``side``: of its output, px."""
    found = column(spec)
    if found is None:
        return no_place(spec)
    first, of = plan.index + 1, found.repeats[plan.stage - 1]
    which = f"block {first} of {of}" if count == 1 else f"blocks {first} to {plan.index + count} of {of}"
    where = f"{found.label(plan.stage)}, {which} of {found.name} ({found.paper})"
    return _place(where, found, spec, [plan], side)


def stage_place(spec: ResNetSpec, stage: int, side: int) -> Place:
    """The place of a whole stage, counted from 1; ``side``: of its output, px."""
    found = column(spec)
    if found is None:
        return no_place(spec)
    where = f"{found.label(stage)} of {found.name} ({found.paper})"
    plans = [plan for plan in spec.blocks if plan.stage == stage]
    return _place(where, found, spec, plans, side)


def _place(where: str, found: TableColumn, spec: ResNetSpec, plans: Sequence[BlockPlan], side: int) -> Place:
    """The place of blocks of one stage; each sentence once."""
    differs = dict.fromkeys(words for plan in plans for words in _differences(spec, plan, found, side))
    notes = dict.fromkeys(filter(None, (_shortcut_note(plan, found) for plan in plans)))
    return Place(where, found.row(plans[0].stage), tuple(differs), tuple(notes))


def stem_place(spec: ResNetSpec) -> Place:
    """The place of what comes before the first stage."""
    found = column(spec)
    if found is None:
        return no_place(spec)
    usual = Stem.IMAGENET if found.paper == TABLE_1 else Stem.CIFAR
    width = _WIDTHS[found.paper][0]
    says = _one_convolution(usual, width)
    here = {
        Stem.IMAGENET: _one_convolution(Stem.IMAGENET, spec.widths[0]),
        Stem.CIFAR: f"{_one_convolution(Stem.CIFAR, spec.widths[0])}, no pooling",
        Stem.DEEP: f"three 3×3 with {spec.widths[0]} channels at the end (ResNet-C, He T. et al. 2019), then max-pool",
    }[spec.stem]
    same = spec.stem is usual and spec.widths[0] == width
    where = (
        f"{'conv1 and the max-pool' if found.paper == TABLE_1 else 'The first layer'} of {found.name} ({found.paper})"
    )
    return Place(where, says, () if same else (f"Here it is {here}.",))


def _one_convolution(stem: Stem, width: int) -> str:
    """7×7, 64, stride 2, then 3×3 max-pool, stride 2."""
    kernel, stride = stem.form.kernels[0], f", stride {stem.form.stride}" if stem.form.stride > 1 else ""
    return f"{kernel}×{kernel}, {width}{stride}{', then 3×3 max-pool, stride 2' if stem.form.pools else ''}"


def head_place(spec: ResNetSpec) -> Place:
    """The place of the pooling and the classifier."""
    found = column(spec)
    if found is None:
        return no_place(spec)
    classes = 1000 if found.paper == TABLE_1 else 10
    where = f"The end of {found.name} ({found.paper})"
    differs = (f"Here there are {spec.num_classes} classes.",) if spec.num_classes != classes else ()
    return Place(where, f"average pool, {classes}-d fc, softmax", differs)


def _differences(spec: ResNetSpec, plan: BlockPlan, found: TableColumn, side: int) -> Iterator[str]:
    base = spec.widths[plan.stage - 1]
    paper = convolutions(found.form, _WIDTHS[found.paper][plan.stage - 1])
    here = convolutions(spec.block, base, plan.width, spec.groups)
    if here != paper:
        yield f"Here it is [{here}]."
    if spec.block.is_preact and not found.form.is_preact:
        yield "Here norm and activation come before each convolution (He et al. 2016)."
    if side != _SIDES[found.paper][plan.stage - 1]:
        yield f"Here the output is {side}×{side}, from an image of {spec.image_size}×{spec.image_size}."
    if spec.block.is_bottleneck and plan.stride > 1 and spec.stride_on is StrideOn.V1_5 and found.paper == TABLE_1:
        yield "The authors' network strides in the first 1×1 (v1); here the 3×3 does (v1.5, as in torchvision)."
    if text := _shortcut_difference(plan, found):
        yield text
    if spec.norm is not Norm.BATCH:
        yield f"The paper normalises over the batch; here: {spec.norm.label.lower()} normalisation."
    if spec.activation is not Activation.RELU:
        yield f"The paper's activation is ReLU; here: {spec.activation.label}."


def _shortcut_difference(plan: BlockPlan, found: TableColumn) -> str:
    """A shortcut that is none of the options A, B and C; empty otherwise."""
    if plan.shortcut_kind in _kinds(_OPTIONS, plan):
        return ""
    paper = f"option {found.shortcuts[0].words.in_paper}" if plan.changes_shape else "the identity"
    return f"The paper's shortcut is {paper}; here {_built(plan)}."


def _shortcut_note(plan: BlockPlan, found: TableColumn) -> str:
    """An option that the paper measures, though not with this network; empty otherwise."""
    if plan.shortcut_kind in _kinds(found.shortcuts, plan) or plan.shortcut_kind not in _kinds(_OPTIONS, plan):
        return ""
    option = f"option {found.shortcuts[0].words.in_paper}"
    table = "Table 3 of He et al. 2015 compares A, B and C on ResNet-34"
    return f"Here {_built(plan)}. {table}; the paper's {found.name} has {option}."


def _kinds(options: Sequence[Shortcut], plan: BlockPlan) -> set[Shortcut]:
    """What is built, so that an option that changes nothing in this block does not count as a difference."""
    return {option.kind(plan.changes_shape) for option in options}


def _built(plan: BlockPlan) -> str:
    return mode_that_builds(plan.shortcut_kind, plan.changes_shape).words.built
