"""The outputs of a run, put in the places that findings of the same names have in another one."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from cxrtool.learn.architectures._network import Net

BY_PLACE = "outputs taken by their place"


def by_place(
    network: nn.Module, fitting: Mapping[str, Tensor], theirs: Sequence[str], ours: Sequence[str]
) -> str:
    """Say in words which outputs take those of other names; nothing if all names are the same.

    Parameters
    ----------
    network : which has taken the tensors.
    fitting : the tensors that it has taken.
    theirs, ours : the names of the outputs; nobody may know theirs.
    """
    if not ours or not isinstance(network, Net):
        return ""
    [last] = [name for name, part in network.named_modules() if part is network.final()]
    if f"{last}.weight" not in fitting:
        return ""
    if not theirs:
        return f"{BY_PLACE} for {', '.join(ours)}"
    pairs = [f"{their} for {own}" for their, own in zip(theirs, ours, strict=False) if their != own]
    return f"{BY_PLACE}: {', '.join(pairs)}" if pairs else ""


def by_name(
    network: nn.Module, tensors: Mapping[str, Tensor], theirs: Sequence[str], ours: Sequence[str]
) -> tuple[dict[str, Tensor], str]:
    """Put the rows of the last layer where the network has them; say in words which it takes.

    Parameters
    ----------
    network : what the tensors are for; an output that they do not have stays as it is there.
    tensors : of a run.
    theirs, ours : the names of the outputs of the run, and of the network.
    """
    assert isinstance(network, Net)
    [last] = [name for name, part in network.named_modules() if part is network.final()]
    places = {name.casefold(): place for place, name in enumerate(theirs)}
    pairs = {i: places[n.casefold()] for i, n in enumerate(ours) if n.casefold() in places}
    result = dict(tensors)
    for kind, own in network.final().state_dict().items():
        given = result.pop(f"{last}.{kind}", None)
        if pairs and given is not None and given.shape == (len(theirs), *own.shape[1:]):
            rows = own.clone()
            for place, their_place in pairs.items():
                rows[place] = given[their_place]
            result[f"{last}.{kind}"] = rows
    if f"{last}.weight" not in result:
        return result, ""
    fresh = [name for place, name in enumerate(ours) if place not in pairs]
    words = f"outputs of {', '.join(ours[place] for place in pairs)}"
    return result, words + f"; fresh outputs: {', '.join(fresh)}" * bool(fresh)
