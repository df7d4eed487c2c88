"""The block classes: one, and one more for each kind of shortcut that reads or adds something else."""

from __future__ import annotations

from collections.abc import Mapping

from ...spec import BlockPlan, Norm, ResNetSpec, Shortcut
from ..blocks import BLOCKS
from .adapters import ADAPTERS
from .layers import activation, apply_norm, assign_layers, conv, optional_norm
from .layout import class_text, method, wrap_arguments
from .statements import Code, Method, Methods

Kinds = set[Shortcut]


def variants(spec: ResNetSpec) -> dict[str, Kinds]:
    """Block classes, the first one the base of the others -> the shortcuts that its ``forward`` serves.

    Plain blocks have one to themselves. So has zero padding where pre-activation blocks project too, since a projection
    reads a, and padding x.
    """
    kinds = {plan.shortcut_kind for plan in spec.blocks}
    name = BLOCKS[spec.block].__name__
    own = {Shortcut.NONE: f"Plain{name}"}
    if spec.block.is_preact and _projects(kinds):
        own |= {kind: f"{adapter.name}{name}" for kind, adapter in ADAPTERS.items() if not kind.projects}
    base = {name: kinds - own.keys()} if kinds - own.keys() else {}
    return {**base, **{own[kind]: {kind} for kind in own if kind in kinds}}


def block_classes(spec: ResNetSpec) -> list[str]:
    (base, kinds), *others = variants(spec).items()
    methods = [_init(spec), *(found.text for found in block_methods(spec, kinds).values())]
    whole = class_text(base, "nn.Module", _equation(spec, kinds), methods)
    return [whole, *(class_text(name, base, _equation(spec, own), [_forward(spec, own).text]) for name, own in others)]


def block_methods(spec: ResNetSpec, kinds: Kinds) -> Methods:
    """Methods of the class for these shortcuts, with the inherited ones."""
    return {"branch": _branch(spec), "forward": _forward(spec, kinds)}


def block_layers(spec: ResNetSpec, sizes: Mapping[str, object]) -> dict[str, str]:
    """What makes each layer of a branch, by its name, in the order of the file.

    Args:
        sizes: ``in_channels``, ``width``, ``out_channels`` and ``stride``: the numbers of a block, or names for them.
    """
    layers = {"relu": activation(spec)}
    for number, form in enumerate(spec.block.form.convs, start=1):
        inputs, outputs = sizes[form.inputs], sizes[form.outputs]
        stride = sizes["stride"] if form.has_stride(spec.stride_on) else 1
        groups = spec.groups if form.grouped else 1
        made = {f"conv{number}": conv(spec, inputs, outputs, form.kernel, stride=stride, groups=groups)}
        bn = optional_norm(spec, f"bn{number}", inputs if spec.block.is_preact else outputs)
        layers |= bn | made if spec.block.is_preact else made | bn
    return layers


def class_names(spec: ResNetSpec) -> dict[Shortcut, str]:
    """The class of the blocks with each kind of shortcut."""
    return {kind: name for name, kinds in variants(spec).items() for kind in kinds}


def arguments(spec: ResNetSpec, plan: BlockPlan) -> tuple[str, ...]:
    """What is passed to the class of a block."""
    stride = [f"stride={plan.stride}"] if plan.stride > 1 else []
    width = [str(plan.width)] if spec.block.has_inner_width else []
    shortcut = downsample(plan)
    given = [f"downsample={shortcut}"] if shortcut else []
    return (str(plan.in_channels), *width, str(plan.out_channels), *stride, *given)


def downsample(plan: BlockPlan) -> str:
    """What makes x fit in a block; empty if nothing does."""
    if not plan.shortcut_kind.adapts:
        return ""
    stride = [f"stride={plan.stride}"] if plan.stride > 1 else []
    return f"{ADAPTERS[plan.shortcut_kind].name}({', '.join([str(plan.in_channels), str(plan.out_channels), *stride])})"


def _projects(kinds: Kinds) -> bool:
    return any(kind.projects for kind in kinds)


def _equation(spec: ResNetSpec, kinds: Kinds) -> str:
    """The block in one line, for each shortcut that the class serves."""
    sigma = spec.activation.value
    read = "a" if spec.block.is_preact and _projects(kinds) else "x"
    terms = {Shortcut.NONE: "", Shortcut.IDENTITY: " + x"}
    sums = sorted({terms.get(kind, f" + downsample({read})") for kind in kinds}, key=len)
    if not spec.block.is_preact:
        return f"y = {' or '.join(f'{sigma}(F(x){term})' for term in sums)}."
    a = "x" if spec.norm is Norm.NONE else "norm(x)"
    return f"y = {' or '.join(f'F(a){term}' for term in sums)}, where a = {sigma}({a})."


def _init(spec: ResNetSpec) -> str:
    channels = ["in_channels", "width", "out_channels"] if spec.block.has_inner_width else ["in_channels", "channels"]
    names = dict(zip(("in_channels", "width", "out_channels"), [*channels, channels[-1]], strict=False))
    parameters = ["self", *(f"{name}: int" for name in channels), "*", "stride: int = 1"]
    layers = ["super().__init__()", *assign_layers(spec, block_layers(spec, {**names, "stride": "stride"}))]
    kinds = {plan.shortcut_kind for plan in spec.blocks}
    if any(kind.adapts for kind in kinds):
        optional = not all(kind.adapts for kind in kinds)
        parameters.append("downsample: nn.Module | None = None" if optional else "downsample: nn.Module")
        layers.append("self.downsample = downsample")
    return method(wrap_arguments("def __init__", parameters, " -> None:", margin=4), layers)


def _branch(spec: ResNetSpec) -> Method:
    count, preact = spec.block.convolutions, spec.block.is_preact
    read = "a" if preact else "x"
    value, statements = Code(read), []
    for number in range(1, count + 1):
        if preact:
            ready = value if number == 1 else apply_norm(spec, f"bn{number}", value).through("relu")
            step = ready.through(f"conv{number}")
        else:
            step = apply_norm(spec, f"bn{number}", value.through(f"conv{number}"))
            step = step if number == count else step.through("relu")
        statements.append(step.as_return() if number == count else step.assign("out"))
        value = Code("out")
    return Method("branch", read, tuple(statements), doc="F.")


def _forward(spec: ResNetSpec, kinds: Kinds) -> Method:
    preact, x = spec.block.is_preact, Code("x")
    read = Code("a" if preact else "x")
    adapted = Code("a" if preact and _projects(kinds) else "x").through("downsample")
    statements = [apply_norm(spec, "bn1", x).through("relu").assign("a")] if preact else []
    total = read.through("branch")
    if kinds == {Shortcut.IDENTITY}:
        total = total.plus(x)
    elif Shortcut.IDENTITY in kinds:
        statements.append(Code(f"shortcut = x if self.downsample is None else {adapted.text}", adapted.does))
        total = total.plus(Code("shortcut"))
    elif kinds != {Shortcut.NONE}:
        total = total.plus(adapted)
    statements.append((total if preact else total.through("relu")).as_return())
    return Method("forward", "x", tuple(statements))
