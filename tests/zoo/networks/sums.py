"""Additions of two paths, of which only some are residual."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.zoo.specimens import fails, right, silent

MAP = (2, 8, 8, 8)


def conv(inputs: int = 8, outputs: int = 8, kernel: int = 3, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2)


class Conditioned(nn.Module):
    """A block that an embedding of a second input shifts (Ho et al. 2020)."""

    def __init__(self, wide: int = 8) -> None:
        super().__init__()
        self.first, self.second, self.time = conv(), conv(), nn.Linear(4, wide)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        h = self.first(x) + self.time(t)[:, :, None, None]
        return x + self.second(F.silu(h))


@right(MAP, (2, 4), shortcuts=1)
def conditioned() -> nn.Module:
    return Conditioned()


@fails(MAP, (2, 4), says="time")
def conditioned_of_another_width() -> nn.Module:
    return Conditioned(16)


class Film(nn.Module):
    """h · (1 + γ) + β (Perez et al. 2018)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.film = conv(), nn.Linear(4, 16)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        scale, shift = self.film(t)[:, :, None, None].chunk(2, 1)
        return x + F.relu(self.conv(x) * (1 + scale) + shift)


@right(MAP, (2, 4), shortcuts=1)
def film() -> nn.Module:
    return Film()


class SelfFilm(nn.Module):
    """The same of its own pooled map."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.film = conv(), nn.Linear(8, 16)

    def forward(self, x: Tensor) -> Tensor:
        scale, shift = self.film(x.mean((2, 3)))[..., None, None].chunk(2, 1)
        return x + F.relu(self.conv(x) * (1 + scale) + shift)


@right(MAP, shortcuts=1)
def film_of_itself() -> nn.Module:
    return SelfFilm()


class GlobalContext(nn.Module):
    """x plus one vector for the whole map (Cao et al. 2019)."""

    def __init__(self) -> None:
        super().__init__()
        self.attend, self.mix = nn.Conv2d(8, 1, 1), nn.Sequential(nn.Conv2d(8, 2, 1), nn.ReLU(), nn.Conv2d(2, 8, 1))

    def forward(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        weights = self.attend(x).view(n, 1, h * w).softmax(2).unsqueeze(-1)
        context = torch.matmul(x.view(n, 1, c, h * w), weights).view(n, c, 1, 1)
        return x + self.mix(context)


@right(MAP)
def global_context() -> nn.Module:
    return GlobalContext()


class PooledContext(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.mix = conv(), nn.Conv2d(8, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.mix(F.adaptive_avg_pool2d(x, 1))


@right(MAP)
def pooled_context() -> nn.Module:
    return PooledContext()


class TwoPools(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.mlp = nn.Sequential(nn.Conv2d(8, 2, 1), nn.ReLU(), nn.Conv2d(2, 8, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x * (self.mlp(F.adaptive_avg_pool2d(x, 1)) + self.mlp(F.adaptive_max_pool2d(x, 1))).sigmoid()


@right(MAP, shortcuts=0)
def two_pools() -> nn.Module:
    return TwoPools()


@right((2, 5, 6), shortcuts=0)
def lstm() -> nn.Module:
    return nn.LSTM(6, 8, batch_first=True)


@right((2, 5, 6), shortcuts=0)
def gru_of_two_layers() -> nn.Module:
    return nn.GRU(6, 8, 2, batch_first=True, bidirectional=True)


class Cell(nn.Module):
    """A recurrent step written by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.of_input, self.of_state = nn.Linear(6, 8), nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        state = x.new_zeros(x.shape[0], 8)
        for step in x.unbind(1):
            state = torch.tanh(self.of_input(step) + self.of_state(state))
        return state


@right((2, 4, 6), shortcuts=0)
def recurrent_by_hand() -> nn.Module:
    return Cell()


class Memory(nn.Module):
    """LSTM cells written by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.gates = nn.Linear(6 + 8, 4 * 8)

    def forward(self, x: Tensor) -> Tensor:
        h = c = x.new_zeros(x.shape[0], 8)
        for t in range(x.shape[1]):
            i, f, g, o = self.gates(torch.cat([x[:, t], h], 1)).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
        return h


@right((2, 4, 6), shortcuts=0)
def memory_by_hand() -> nn.Module:
    return Memory()


class Cells(nn.Module):
    def __init__(self, kind: type[nn.GRUCell] | type[nn.LSTMCell]) -> None:
        super().__init__()
        self.cell = kind(6, 8)

    def forward(self, x: Tensor) -> Tensor:
        state = None
        for t in range(x.shape[1]):
            state = self.cell(x[:, t], state)
        return state[0] if isinstance(state, tuple) else state  # type: ignore[return-value]


@right((2, 4, 6), shortcuts=0)
def gru_cells() -> nn.Module:
    return Cells(nn.GRUCell)


@right((2, 4, 6), shortcuts=0)
def lstm_cells() -> nn.Module:
    return Cells(nn.LSTMCell)


class ConvGRU(nn.Module):
    """A gated update of a map (RAFT): (1 − z) · h + z · q."""

    def __init__(self) -> None:
        super().__init__()
        self.update, self.candidate = conv(16), conv(16)

    def forward(self, h: Tensor, x: Tensor) -> Tensor:
        z = self.update(torch.cat([h, x], 1)).sigmoid()
        q = self.candidate(torch.cat([h * z, x], 1)).tanh()
        return (1 - z) * h + z * q


@right(MAP, MAP, shortcuts=0)
def gated_update() -> nn.Module:
    return ConvGRU()


class Highway(nn.Module):
    """g · F(x) + (1 − g) · x (Srivastava et al. 2015)."""

    def __init__(self) -> None:
        super().__init__()
        self.branch, self.gate = conv(), conv()

    def forward(self, x: Tensor) -> Tensor:
        g = self.gate(x).sigmoid()
        return g * self.branch(x).relu() + (1 - g) * x


@right(MAP)
def highway() -> nn.Module:
    return Highway()


class Supervised(nn.Module):
    """The loss of two exits, as some forward passes give it."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = conv(), conv()

    def forward(self, x: Tensor) -> Tensor:
        first = self.one(x)
        second = self.two(first)
        return first.square().mean() + 0.4 * second.square().mean()


@right(MAP, shortcuts=0)
def losses() -> nn.Module:
    return Supervised()


class TwoInputs(nn.Module):
    def __init__(self, outputs: int = 8) -> None:
        super().__init__()
        self.left, self.right = conv(), conv(4, outputs)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.left(x) + self.right(y)


@right(MAP, (2, 4, 8, 8), shortcuts=0)
def two_inputs() -> nn.Module:
    return TwoInputs()


@fails(MAP, (2, 4, 8, 8), says="8")
def two_inputs_of_other_widths() -> nn.Module:
    return TwoInputs(6)


@fails(MAP, (2, 4, 6, 6))
def two_inputs_of_other_sizes() -> nn.Module:
    return TwoInputs()


class Joined(nn.Module):
    """x and F(x), put together as ``way`` says."""

    def __init__(self, way: str, branch: nn.Module | None = None) -> None:
        super().__init__()
        self.way, self.branch = way, branch or conv()

    def forward(self, x: Tensor) -> Tensor:
        f = self.branch(x)
        if self.way == "stack":
            return torch.stack([x, f]).sum(0)
        if self.way == "minus":
            return x - f
        if self.way == "inverse":
            return f - x
        return sum([x, f])  # type: ignore[return-value]


@right(MAP, shortcuts=1)
def minus() -> nn.Module:
    return Joined("minus")


@right(MAP, shortcuts=1)
def stacked() -> nn.Module:
    return Joined("stack")


@right(MAP, shortcuts=1)
def summed() -> nn.Module:
    return Joined("sum")


@fails(MAP, rule="missing-projection")
def minus_wider() -> nn.Module:
    return Joined("minus", conv(8, 16))


@fails(MAP, rule="missing-projection")
def stacked_wider() -> nn.Module:
    return Joined("stack", conv(8, 16))


@fails(MAP)
def summed_smaller() -> nn.Module:
    return Joined("sum", conv(8, 8, 3, 2))


@silent(MAP, rule="broadcast")
def one_channel() -> nn.Module:
    return Joined("sum", conv(8, 1))


@silent((2, 8, 2, 2), rule="broadcast")
def one_pixel() -> nn.Module:
    return Joined("sum", conv(8, 8, 3, 2))


@silent((2, 1, 8, 8), rule="broadcast")
def one_channel_of_the_input() -> nn.Module:
    return Joined("sum", conv(1, 8))


@silent(MAP, rule="broadcast")
def minus_one_channel() -> nn.Module:
    return Joined("minus", conv(8, 1))


class PooledShortcut(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.branch = nn.Sequential(conv(8, 16, 3, 2), nn.BatchNorm2d(16))
        self.shortcut = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 16, 1), nn.BatchNorm2d(16))

    def forward(self, x: Tensor) -> Tensor:
        return self.branch(x) + self.shortcut(x)


@silent(MAP, rule="broadcast")
def pooled_shortcut() -> nn.Module:
    return PooledShortcut()


class Attention(nn.Module):
    """Attention with a bias that pair features give (AlphaFold 2, Alg. 24)."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.bias, self.out = nn.Linear(8, 24), nn.Linear(3, 2), nn.Linear(8, 8)

    def forward(self, x: Tensor, pairs: Tensor) -> Tensor:
        n, length, _ = x.shape
        q, k, v = self.qkv(x).view(n, length, 3, 2, 4).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-1, -2) + self.bias(pairs).permute(0, 3, 1, 2)
        return x + self.out((scores.softmax(-1) @ v).transpose(1, 2).reshape(n, length, 8))


@right((2, 5, 8), (2, 5, 5, 3), shortcuts=1)
def attention_bias() -> nn.Module:
    return Attention()


@right((2, 5, 8), (1, 5, 5, 3), shortcuts=1)
def attention_bias_for_all() -> nn.Module:
    return Attention()


class PairSum(nn.Module):
    """a_i + b_j, a broadcast on purpose."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(8, 4), nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.left(x)[:, :, None] + self.right(x)[:, None]


@right((2, 5, 8))
def pair_sum() -> nn.Module:
    return PairSum()


class Centred(nn.Module):
    """Subtracts the mean with keepdim; a norm written by hand."""

    def forward(self, x: Tensor) -> Tensor:
        x = x - x.mean(-1, keepdim=True)
        return x / (x.square().mean(-1, keepdim=True) + 1e-5).sqrt()


@right((2, 5, 8))
def centred() -> nn.Module:
    return Centred()


class Dueling(nn.Module):
    """V + A − mean(A) (Wang et al. 2016)."""

    def __init__(self) -> None:
        super().__init__()
        self.value, self.advantage = nn.Linear(8, 1), nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        advantage = self.advantage(x)
        return self.value(x) + advantage - advantage.mean(1, keepdim=True)


@right((3, 8))
def dueling() -> nn.Module:
    return Dueling()


class Rotary(nn.Module):
    cos: Tensor
    sin: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.q = nn.Linear(8, 8)
        self.register_buffer("cos", torch.ones(16, 8))
        self.register_buffer("sin", torch.zeros(16, 8))

    def forward(self, x: Tensor) -> Tensor:
        q = self.q(x)
        a, b = q.chunk(2, -1)
        return q * self.cos[: x.shape[1]] + torch.cat([-b, a], -1) * self.sin[: x.shape[1]]


@right((2, 5, 8))
def rotary() -> nn.Module:
    return Rotary()
