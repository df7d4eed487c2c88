"""One layer is wrong: its kernel, padding, norm, shape or head."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.zoo.specimens import fails, right


class Residual1d(nn.Module):
    def __init__(self, kernel: int, padding: int | str) -> None:
        super().__init__()
        self.stem = nn.Conv1d(2, 8, 7, padding=3)
        self.one, self.two = nn.Conv1d(8, 8, kernel, padding=padding), nn.Conv1d(8, 8, kernel, padding=padding)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        return x + self.two(self.one(x).relu())


@right((1, 2, 100), shortcuts=1)
def series() -> nn.Module:
    return Residual1d(15, 7)


@right((1, 2, 100), shortcuts=1)
def series_same() -> nn.Module:
    return Residual1d(16, "same")


@fails((1, 2, 100), rule="even-kernel", says="16")
def even_kernel() -> nn.Module:
    return Residual1d(16, 8)


class Even2d(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 4, padding=2)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x)


@fails((1, 3, 8, 8), rule="even-kernel")
def even_kernel_2d() -> nn.Module:
    return Even2d()


def net(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(*layers)


@fails((1, 3, 4, 4), rule="kernel-too-large", says="7×7")
def kernel_too_large() -> nn.Module:
    return net(nn.Conv2d(3, 4, 3, 2, 1), nn.Conv2d(4, 4, 7))


@fails((1, 3, 16, 16), rule="kernel-too-large", says="1×1")
def pooled_too_often() -> nn.Module:
    return net(*[layer for _ in range(5) for layer in (nn.Conv2d(3, 3, 3, padding=1), nn.MaxPool2d(2))])


@fails((1, 3, 8, 8), rule="kernel-too-large")
def average_pool_too_large() -> nn.Module:
    return net(nn.Conv2d(3, 4, 3, 2, 1), nn.AvgPool2d(7), nn.Flatten(), nn.Linear(4, 2))


class View(nn.Module):
    """A head that is wired for one size."""

    def __init__(self, features: int, way: str = "view") -> None:
        super().__init__()
        self.features, self.way = features, way
        self.conv, self.fc = nn.Conv2d(3, 8, 3, 2, 1), nn.Linear(features, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x).relu()
        if self.way == "view":
            return self.fc(x.view(x.shape[0], self.features))
        if self.way == "fold":
            return self.fc(x.view(-1, self.features))
        return self.fc(torch.flatten(x, 1))


@right((2, 3, 14, 14), shortcuts=0)
def head_for_seven() -> nn.Module:
    return View(8 * 7 * 7)


@fails((2, 3, 16, 16), rule="view-size", says="8×8×8")
def head_for_seven_viewed() -> nn.Module:
    return View(8 * 7 * 7)


@fails((1, 3, 16, 16), rule="view-size", says="392")
def head_for_seven_folded() -> nn.Module:
    return View(8 * 7 * 7, "fold")


@fails((2, 3, 16, 16), rule="wrong-width", says="fc takes 392 features")
def head_for_seven_flattened() -> nn.Module:
    return View(8 * 7 * 7, "flatten")


@fails((2, 3, 8, 8), rule="wrong-width")
def head_without_flatten() -> nn.Module:
    return net(nn.Conv2d(3, 8, 3, padding=1), nn.AdaptiveAvgPool2d(1), nn.Linear(8, 4))


@right((2, 3, 8, 8))
def norm_of_a_map() -> nn.Module:
    return net(nn.Conv2d(3, 8, 3, padding=1), nn.LayerNorm([8, 8, 8]))


@fails((2, 3, 9, 9), rule="wrong-norm-shape", says="8×8×8")
def norm_of_another_map() -> nn.Module:
    return net(nn.Conv2d(3, 8, 3, padding=1), nn.LayerNorm([8, 8, 8]), nn.Conv2d(8, 4, 1))


@fails((2, 3, 10, 10), rule="wrong-width", says="channels")
def norm_of_channels_first() -> nn.Module:
    return net(nn.Conv2d(3, 8, 3, padding=1), nn.LayerNorm(8), nn.Conv2d(8, 4, 1))


@fails((2, 3, 8), rule="wrong-rank", says="BatchNorm2d")
def batch_norm_of_another_rank() -> nn.Module:
    return net(nn.Conv1d(3, 8, 3, padding=1), nn.BatchNorm2d(8))


@fails((2, 3, 8, 8), rule="wrong-rank", says="BatchNorm1d")
def batch_norm_1d() -> nn.Module:
    return net(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm1d(8), nn.ReLU())


@fails((2, 3, 8, 8), rule="wrong-rank", says="Conv1d")
def conv_1d() -> nn.Module:
    return net(nn.Conv2d(3, 8, 3, padding=1), nn.Conv1d(8, 8, 3, padding=1))


@fails((2, 3, 32), rule="wrong-rank")
def conv_2d_of_tokens() -> nn.Module:
    return net(nn.Linear(32, 32), nn.ReLU(), nn.Unflatten(2, (8, 4)), nn.Flatten(2), nn.Flatten(1), nn.Conv2d(3, 8, 3))


@fails((2, 3, 8, 8), rule="wrong-width", says="takes 12 channels")
def group_norm_width() -> nn.Module:
    return net(nn.Conv2d(3, 8, 3), nn.GroupNorm(4, 12))


@fails((2, 3, 8, 8), rule="wrong-width")
def batch_norm_width() -> nn.Module:
    return net(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(8, 8, 1))


class Heads(nn.Module):
    """Attention whose heads are cut by hand."""

    def __init__(self, heads: int, width: int = 24) -> None:
        super().__init__()
        self.heads, self.qkv, self.out = heads, nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        n, length, c = x.shape
        q, k, v = self.qkv(x).reshape(n, length, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, length, c)
        return x + self.out(y)


@right((2, 7, 24), shortcuts=1)
def heads() -> nn.Module:
    return Heads(4)


@fails((2, 7, 24), rule="view-size", says="5")
def heads_that_do_not_divide() -> nn.Module:
    return Heads(5)


class OfTorch(nn.Module):
    def __init__(self, width: int = 24, heads: int = 4) -> None:
        super().__init__()
        self.attend = nn.MultiheadAttention(width, heads, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.attend(x, x, x)[0]


@right((2, 7, 24), shortcuts=1)
def attention_of_torch() -> nn.Module:
    return OfTorch()


@fails((2, 7, 24), rule="wrong-width", says="attend takes 32 features")
def attention_of_another_width() -> nn.Module:
    return OfTorch(32)


@fails((2, 7, 24), says="5 heads do not divide 24 features")
def attention_heads_that_do_not_divide() -> nn.Module:
    return OfTorch(24, 5)


class Recurrent(nn.Module):
    def __init__(self, features: int, fc: int = 16) -> None:
        super().__init__()
        self.conv, self.rnn = nn.Conv1d(2, 12, 3, padding=1), nn.LSTM(features, 16, batch_first=True)
        self.fc = nn.Linear(fc, 4)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.rnn(self.conv(x).transpose(1, 2))
        return self.fc(out[:, -1])


@right((2, 2, 10), shortcuts=0)
def recurrent() -> nn.Module:
    return Recurrent(12)


@fails((2, 2, 10), rule="wrong-width", says="rnn takes 10 features")
def recurrent_input_size() -> nn.Module:
    return Recurrent(10)


@fails((2, 2, 10), rule="wrong-width", says="fc takes 32 features")
def recurrent_head() -> nn.Module:
    return Recurrent(12, 32)


class Words(nn.Module):
    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.embed, self.fc = nn.Embedding(20, 8), nn.Linear(width, 3)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.fc(self.embed(tokens).mean(1))


@right(torch.zeros(2, 6, dtype=torch.long), shortcuts=0)
def words() -> nn.Module:
    return Words()


@fails(torch.zeros(2, 6, dtype=torch.long), rule="wrong-width", says="fc takes 16 features")
def words_of_another_width() -> nn.Module:
    return Words(16)


@fails((2, 6), rule="wrong-dtype", says="whole numbers")
def words_of_floats() -> nn.Module:
    return Words()


class Products(nn.Module):
    """A matrix product of two maps, as attention over positions has."""

    def __init__(self, *, transposes: bool = True, width: int = 4) -> None:
        super().__init__()
        self.transposes = transposes
        self.q, self.k = nn.Conv2d(8, 4, 1), nn.Conv2d(8, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        q, k = self.q(x).flatten(2), self.k(x).flatten(2)
        return (q.transpose(1, 2) if self.transposes else q) @ k


@right((1, 8, 5, 5), shortcuts=0)
def product() -> nn.Module:
    return Products()


@fails((1, 8, 5, 5), rule="matmul-differs", says="transpose")
def product_untransposed() -> nn.Module:
    return Products(transposes=False)


@fails((1, 8, 5, 5), rule="matmul-differs", says="6")
def product_of_other_widths() -> nn.Module:
    return Products(width=6)


class Cross(nn.Module):
    def __init__(self, context: int = 6) -> None:
        super().__init__()
        self.q, self.k, self.v = nn.Linear(8, 8), nn.Linear(context, 8), nn.Linear(context, 8)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x + F.scaled_dot_product_attention(self.q(x), self.k(y), self.v(y))


@right((2, 5, 8), (2, 9, 6), shortcuts=1)
def cross_attention() -> nn.Module:
    return Cross()


@fails((2, 5, 8), (2, 9, 6), rule="wrong-width", says="k takes 8 features")
def cross_attention_width() -> nn.Module:
    return Cross(8)


@fails((1, 1, 28, 28), rule="wrong-width", says="0 takes 3 channels, but the input gives 1")
def grey_input() -> nn.Module:
    return net(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3))


@fails((1, 28, 28, 3), rule="wrong-width", says="channels last")
def channels_last_input() -> nn.Module:
    return net(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3))


class Dilated(nn.Module):
    def __init__(self, padding: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=padding, dilation=2)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x)


@right((1, 4, 8, 8), shortcuts=1)
def dilated() -> nn.Module:
    return Dilated(2)


@fails((1, 4, 8, 8), rule="padding-forgotten", says="with 2")
def dilated_padding() -> nn.Module:
    return Dilated(1)
