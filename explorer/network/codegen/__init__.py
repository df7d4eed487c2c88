"""``source(spec)``: the network as one PyTorch file, as it would be written by hand for this spec alone.

Modules are named as in ``explorer.network``, so that weights load strictly in both directions. What a spec doesn't use
is not in its file. The text is ASCII, laid out as ``ruff format`` does at 100 columns.
"""

from __future__ import annotations

import json

from ...spec import Norm, ResNetSpec, title, to_dict
from ...spec.budget import estimate
from .adapters import adapters
from .blocks import block_classes
from .layers import GROUP_NORM
from .layout import COLUMNS, times
from .resnet import mismatches_of, resnet_class

__all__ = ["COLUMNS", "source"]

_MAIN = '''\
def build() -> ResNet:
    """The network in training mode, with new weights."""
    return ResNet()


if __name__ == "__main__":
    model = build().eval()
    with torch.inference_mode():
        logits = model(torch.randn(2, {channels}, {side}, {side}))
    print("output:", tuple(logits.shape))
    print("parameters:", sum(p.numel() for p in model.parameters()))'''


def source(spec: ResNetSpec) -> str:
    """Text of a Python module that defines the network of ``spec``, and ``build()``, which makes it.

    If a shortcut does not match, the network is built anyway, and a comment at the block shows both shapes.
    """
    parts = [_head(spec)]
    if spec.norm is Norm.GROUP:
        parts.append(GROUP_NORM)
    parts += [adapter.define(spec) for adapter in adapters(spec)]
    parts += block_classes(spec)
    parts.append(resnet_class(spec))
    parts.append(_MAIN.format(channels=spec.in_channels, side=spec.image_size))
    return "\n\n\n".join(parts) + "\n"


def _head(spec: ResNetSpec) -> str:
    params, macs = estimate(spec)
    image = times(spec.in_channels, spec.image_size, spec.image_size)
    lines = [
        f"{title(spec).replace('×', 'x')}, written by ResNet Explorer for this one network.",
        "",
        f"{params:,} parameters; {macs:,} multiply-adds (MACs) for an image of {image}.",
    ]
    if count := len(mismatches_of(spec)):
        does = "1 shortcut does" if count == 1 else f"{count} shortcuts do"
        lines.append(f"{does} not fit: see the comments in ResNet.")
    docstring = "\n".join([*lines, "Its description:", "", _json(spec)])
    imports = "import torch\nfrom torch import nn"
    if any(adapter.uses_functional for adapter in adapters(spec)):
        imports += "\nfrom torch.nn import functional as F"
    return f'"""{_escape(docstring)}\n"""\n\n{imports}'


def _json(spec: ResNetSpec) -> str:
    """``to_json``, a line for each field and for each override."""
    values = {k: json.dumps(v, indent=4 if isinstance(v, dict) and v else None) for k, v in to_dict(spec).items()}
    fields = (f'  "{name}": ' + (text[:-1] + "  }" if "\n" in text else text) for name, text in values.items())
    return "{\n" + ",\n".join(fields) + "\n}"


def _escape(text: str) -> str:
    """Text as it is spelled between three double quotes, in ASCII."""
    return text.encode("ascii", "backslashreplace").decode().replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
