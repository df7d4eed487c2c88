"""Networks of every kind, each with one usual mistake, beside the right one."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.zoo.specimens import fails, right

IMAGE = (2, 3, 16, 16)
TOKENS = (2, 9, 16)


class Call(nn.Module):
    """A layer and what is done with it."""

    attend: nn.Module
    cell: nn.Module
    conv: nn.Module
    decoder: nn.Module
    fc: nn.Module
    k: nn.Module
    mix: nn.Module
    one: nn.Module
    out: nn.Module
    q: nn.Module
    rnn: nn.Module
    two: nn.Module

    def __init__(self, way: str, **layers: nn.Module) -> None:
        super().__init__()
        self.way = way
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, x: Tensor, *more: Tensor) -> Tensor:
        return getattr(self, f"_{self.way}")(x, *more)

    def _permuted_view(self, x: Tensor) -> Tensor:
        return self.fc(x.permute(0, 2, 3, 1).view(x.shape[0], -1))

    def _permuted_reshape(self, x: Tensor) -> Tensor:
        return self.fc(x.permute(0, 2, 3, 1).reshape(x.shape[0], -1))

    def _einsum(self, x: Tensor) -> Tensor:
        return torch.einsum("nlc,nmc->nlm", self.q(x), self.k(x))

    def _expand(self, x: Tensor) -> Tensor:
        y = self.fc(x.mean((2, 3)))
        return x + y[:, :, None, None].expand(-1, -1, 16, 16)

    def _masked(self, x: Tensor, mask: Tensor) -> Tensor:
        scores = self.q(x) @ self.k(x).transpose(1, 2)
        return scores.masked_fill(mask > 0, -1e9).softmax(-1) @ x

    def _state(self, x: Tensor, state: Tensor) -> Tensor:
        return self.rnn(x, state)[0]

    def _cell(self, x: Tensor) -> Tensor:
        return self.cell(x[:, 0])

    def _siamese(self, x: Tensor, y: Tensor) -> Tensor:
        pooled = [self.conv(z).mean((2, 3)) for z in (x, y)]
        return self.fc(torch.cat(pooled, 1))

    def _key_mask(self, x: Tensor, mask: Tensor) -> Tensor:
        return x + self.attend(x, x, x, key_padding_mask=mask > 2)[0]

    def _decode(self, x: Tensor, y: Tensor) -> Tensor:
        return self.decoder(x, y)

    def _bilinear(self, x: Tensor) -> Tensor:
        return self.mix(x, x)

    def _branches(self, x: Tensor) -> Tensor:
        return self.out(torch.cat([self.one(x), self.two(x), F.interpolate(x.mean((2, 3), keepdim=True), (16, 16))], 1))

    def _two_heads(self, x: Tensor) -> Tensor:
        a, b = self.conv(x).chunk(2, 1)
        return a * b.sigmoid()


@right(IMAGE)
def reshaped() -> nn.Module:
    return Call("permuted_reshape", fc=nn.Linear(768, 4))


@fails(IMAGE, rule="view-strides", says="reshape")
def viewed_after_permute() -> nn.Module:
    return Call("permuted_view", fc=nn.Linear(768, 4))


@right(TOKENS)
def einsum() -> nn.Module:
    return Call("einsum", q=nn.Linear(16, 8), k=nn.Linear(16, 8))


@fails(TOKENS, rule="matmul-differs", says="c is 8 in one and 6 in the other")
def einsum_widths() -> nn.Module:
    return Call("einsum", q=nn.Linear(16, 8), k=nn.Linear(16, 6))


@right(IMAGE)
def expanded() -> nn.Module:
    return Call("expand", fc=nn.Linear(3, 3))


@fails((2, 3, 18, 18), says="16")
def expanded_to_another_size() -> nn.Module:
    return Call("expand", fc=nn.Linear(3, 3))


@right(TOKENS, (9, 9))
def masked() -> nn.Module:
    return Call("masked", q=nn.Linear(16, 8), k=nn.Linear(16, 8))


@fails(TOKENS, (8, 8), says="8×8")
def masked_by_another_length() -> nn.Module:
    return Call("masked", q=nn.Linear(16, 8), k=nn.Linear(16, 8))


@right(TOKENS, (1, 2, 8))
def initial_state() -> nn.Module:
    return Call("state", rnn=nn.GRU(16, 8, batch_first=True))


@fails(TOKENS, (1, 3, 8), rule="wrong-state", says="1×2×8")
def initial_state_of_another_batch() -> nn.Module:
    return Call("state", rnn=nn.GRU(16, 8, batch_first=True))


@fails(TOKENS, rule="wrong-width", says="cell takes 12 features")
def cell_width() -> nn.Module:
    return Call("cell", cell=nn.GRUCell(12, 8))


@right(IMAGE, IMAGE)
def siamese() -> nn.Module:
    return Call("siamese", conv=nn.Conv2d(3, 8, 3), fc=nn.Linear(16, 2))


@fails(IMAGE, IMAGE, rule="wrong-width", says="fc takes 8 features")
def siamese_width() -> nn.Module:
    return Call("siamese", conv=nn.Conv2d(3, 8, 3), fc=nn.Linear(8, 2))


@right(TOKENS, (2, 9))
def key_mask() -> nn.Module:
    return Call("key_mask", attend=nn.MultiheadAttention(16, 2, batch_first=True))


@fails(TOKENS, (2, 7), says="2×9")
def key_mask_of_another_length() -> nn.Module:
    return Call("key_mask", attend=nn.MultiheadAttention(16, 2, batch_first=True))


@right(TOKENS, (2, 5, 16))
def decoder() -> nn.Module:
    return Call("decode", decoder=nn.TransformerDecoderLayer(16, 2, 32, batch_first=True))


@fails(TOKENS, (2, 5, 12), rule="wrong-width", says="takes 16 features")
def decoder_memory_width() -> nn.Module:
    return Call("decode", decoder=nn.TransformerDecoderLayer(16, 2, 32, batch_first=True))


@right(IMAGE)
def aspp() -> nn.Module:
    two = nn.Conv2d(3, 4, 3, padding=4, dilation=4)
    return Call("branches", one=nn.Conv2d(3, 4, 1), two=two, out=nn.Conv2d(11, 2, 1))


@fails(IMAGE, rule="concat-differs", says="two")
def aspp_padding() -> nn.Module:
    two = nn.Conv2d(3, 4, 3, padding=1, dilation=4)
    return Call("branches", one=nn.Conv2d(3, 4, 1), two=two, out=nn.Conv2d(11, 2, 1))


@fails(IMAGE, rule="wrong-width", says="out takes 8 channels")
def aspp_width() -> nn.Module:
    two = nn.Conv2d(3, 4, 3, padding=4, dilation=4)
    return Call("branches", one=nn.Conv2d(3, 4, 1), two=two, out=nn.Conv2d(8, 2, 1))


@right(IMAGE)
def gated_linear_unit() -> nn.Module:
    return Call("two_heads", conv=nn.Conv2d(3, 8, 3))


@fails(IMAGE, rule="product-differs", says="5")
def gated_linear_unit_odd() -> nn.Module:
    return Call("two_heads", conv=nn.Conv2d(3, 9, 3))


@fails(IMAGE, says="4 groups do not divide 10 channels")
def group_norm_groups() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 10, 3), nn.GroupNorm(4, 10))


@fails(IMAGE, says="4 groups do not divide 10 output channels")
def conv_groups() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 10, 3, groups=4))


@fails((2, 9, 16), rule="wrong-width", says="channels last")
def batch_norm_of_tokens() -> nn.Module:
    return nn.Sequential(nn.Linear(16, 16), nn.BatchNorm1d(16), nn.ReLU())


@fails((2, 3, 15, 15), rule="size-does-not-divide", says="15×15")
def unshuffled_odd() -> nn.Module:
    return nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(12, 4, 3))


@fails(IMAGE, rule="wrong-rank", says="Conv3d")
def conv_3d_of_images() -> nn.Module:
    return nn.Sequential(nn.Conv3d(3, 4, 3, padding=1), nn.ReLU())


@fails((2, 8, 30), rule="wrong-rank", says="Conv2d")
def conv_2d_of_a_series() -> nn.Module:
    return nn.Sequential(nn.Conv1d(8, 8, 3), nn.Conv2d(8, 4, 3))


class UNet1d(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv1d(2, 4, 3, padding=1), nn.Conv1d(4, 8, 3, 2, 1)
        self.up, self.out = nn.ConvTranspose1d(8, 4, 2, 2), nn.Conv1d(8, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        one = self.one(x)
        return self.out(torch.cat([one, self.up(self.two(one))], 1))


@right((1, 2, 64))
def unet_1d() -> nn.Module:
    return UNet1d()


@fails((1, 2, 63), rule="concat-differs", says="63→32→64")
def unet_1d_odd() -> nn.Module:
    return UNet1d()


class UNet3d(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv3d(1, 2, 3, padding=1), nn.Conv3d(2, 4, 3, padding=1)
        self.out = nn.Conv3d(6, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        one = self.one(x)
        y = F.interpolate(self.two(F.max_pool3d(one, 2)), scale_factor=2, mode="trilinear")
        return self.out(torch.cat([y, one], 1))


@right((1, 1, 8, 8, 8))
def unet_3d() -> nn.Module:
    return UNet3d()


@fails((1, 1, 9, 8, 8), rule="concat-differs", says="9→4→8")
def unet_3d_odd() -> nn.Module:
    return UNet3d()


class Generator(nn.Module):
    """Reflection padding, residual blocks, transposed convolutions (Zhu et al. 2017)."""

    def __init__(self, padding: int = 1) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(3, 4, 7), nn.ReLU(), nn.Conv2d(4, 8, 3, 2, 1))
        self.block = nn.Sequential(nn.ReflectionPad2d(padding), nn.Conv2d(8, 8, 3), nn.InstanceNorm2d(8), nn.ReLU())
        self.up = nn.ConvTranspose2d(8, 3, 3, 2, 1, output_padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        return self.up(x + self.block(x)).tanh()


@right(IMAGE, shortcuts=1)
def generator() -> nn.Module:
    return Generator()


@fails(IMAGE, says="10×10")
def generator_padding() -> nn.Module:
    return Generator(2)


class Mobile(nn.Module):
    """An inverted residual with a hard gate (Howard et al. 2019)."""

    def __init__(self, stride: int = 1, guards: bool = True) -> None:
        super().__init__()
        self.expand, self.project = nn.Conv2d(8, 24, 1), nn.Conv2d(24, 8, 1)
        self.depthwise = nn.Conv2d(24, 24, 3, stride, 1, groups=24)
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(24, 6, 1), nn.ReLU(), nn.Conv2d(6, 24, 1))
        self.adds = not guards or stride == 1

    def forward(self, x: Tensor) -> Tensor:
        y = F.hardswish(self.depthwise(F.hardswish(self.expand(x))))
        y = self.project(y * F.hardsigmoid(self.gate(y)))
        return x + y if self.adds else y


@right((2, 8, 8, 8), shortcuts=1)
def mobile() -> nn.Module:
    return Mobile()


@right((2, 8, 8, 8), shortcuts=0)
def mobile_strided() -> nn.Module:
    return Mobile(2)


@fails((2, 8, 8, 8), rule="stride-differs")
def mobile_unguarded() -> nn.Module:
    return Mobile(2, guards=False)
