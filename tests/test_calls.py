"""Wrappers with the parameters of what they wrap: a call is the same call, and says the same of itself."""

import inspect

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.arithmetic import floats, tilt
from mappo_verify.arithmetic.calls import Given, same_call

ASKED = "\n    return {asked}\n"


def is_seven(value):
    return value == 7


def several(first, second=2, *, third=3):
    """Some function."""
    return first, second, third


def many(first, *others):
    return first, others


def named(first, **others):
    return first, others


@pytest.mark.parametrize(
    ("args", "kwargs", "asked"),
    [
        ((1,), {}, ((1,), {})),
        ((1, 2), {}, ((1,), {})),
        ((1, 5), {}, ((1, 5), {})),
        ((1,), {"second": 5}, ((1, 5), {})),
        ((), {"first": 1, "third": 3}, ((1,), {})),
        ((1,), {"third": 4}, ((1,), {"third": 4})),
    ],
)
def test_a_call_is_known_by_what_differs_from_the_defaults(args, kwargs, asked):
    assert same_call(several, ASKED, is_seven)(*args, **kwargs) == Given(*asked)


def test_further_arguments_are_handed_on():
    assert same_call(many, ASKED, is_seven)(1, 2, 3) == Given((1, 2, 3), {})
    assert same_call(many, "\n    return _function({given})\n", is_seven)(1, 2, 3) == (1, (2, 3))
    assert same_call(several, "\n    return _function({given})\n", is_seven)(1, third=5) == (1, 2, 5)
    assert same_call(named, ASKED, is_seven)(1, third=3) == Given((1,), {"third": 3})
    assert same_call(named, "\n    return _function({given})\n", is_seven)(1, third=3) == (1, {"third": 3})


def test_data_is_asked_of_every_argument():
    for function, args in ((several, (7, 7)), (many, (7, 7, 7))):
        data = same_call(function, "\n    return bool({data})\n", lambda value: value in (3, 7))
        assert data(*args)
        for place in range(len(args)):
            assert not data(*args[:place], [0], *args[place + 1 :])
    data = same_call(named, "\n    return bool({data})\n", is_seven)
    assert data(7, third=7, fourth=7)
    assert not data(7, third=7, fourth=[0])


def test_what_is_an_array_is_told_of_one_argument_beside_the_others():
    def both(first: "Array", second: "Any"):  # noqa: F821 - annotations are asked as texts
        return first, second

    arrays = same_call(both, "\n    return {arrays}\n", is_seven)
    assert arrays(np.ones(2), np.ones(2))
    assert arrays(np.ones(2), 1.5)
    assert not arrays(1.5, np.ones(2))
    assert not arrays(np.ones(2), [0])


def test_a_wrapper_is_known_as_the_function():
    wrapper = same_call(several, ASKED, is_seven)
    assert (wrapper.__name__, wrapper.__doc__, wrapper.__module__) == ("several", "Some function.", __name__)
    assert inspect.signature(wrapper) == inspect.signature(several)


@pytest.mark.parametrize(
    "call", [lambda: mv.returns(), lambda: mv.exp(1, 2), lambda: mv.quantities.sup_norm([1.0], axis=1)]
)
def test_a_call_that_does_not_fit_is_pythons_own_error_with_the_name_of_the_function(call):
    with pytest.raises(TypeError, match=r"^(returns|exp|sup_norm)\(\) (missing|takes|got)") as caught:
        call()
    assert not isinstance(caught.value, mv.errors.MappoVerifyError)


def test_an_error_is_explained_by_the_function_that_was_called_once():
    game = mv.random_game(2, (2,), seed=0)
    with pytest.raises(
        mv.errors.ArgumentError, match=r"^returns: policy is 3, not a Policy; given game = .*, policy = 3; it is"
    ):
        mv.returns(game, policy=3)


def test_numbers_and_lists_are_arrays_where_the_signature_says_so():
    halves, even = [0.5, 0.5], mv.quantities.mirror_step([0.5, 0.5], [1, 1], 2)
    assert isinstance(even, np.ndarray)
    assert even.tolist() == halves
    assert isinstance(mv.quantities.total_variation(halves, [1, 0]), np.ndarray)
    assert isinstance(mv.quantities.squared_norm(np.ones(2), np.ones(2)), np.ndarray)


@pytest.mark.parametrize("length", [1, 2, 8, 9])
@pytest.mark.parametrize("rows", [(), (3,), (40, 10)])
@pytest.mark.parametrize("special", [0.0, np.inf, np.nan])
def test_largest_entries_of_rows_are_those_of_numpy(length, rows, special):
    values = np.random.default_rng(0).normal(size=(*rows, length))
    values[..., length // 2] = special
    for given in (values, np.asfortranarray(values)):
        np.testing.assert_array_equal(floats.maxima(given), given.max(-1, keepdims=True))


def test_a_row_is_tilted_alike_alone_and_among_many():
    generator = np.random.default_rng(1)
    weights, exponents = generator.dirichlet(np.ones(3), 500), generator.normal(size=(500, 3))
    alone = [tilt(weight, exponent) for weight, exponent in zip(weights, exponents, strict=True)]
    np.testing.assert_allclose(tilt(weights, exponents), alone, rtol=1e-14)


def test_whether_a_policy_is_a_product_is_computed_once_and_read_only():
    policy = mv.Policy.uniform(mv.random_game(2, (2, 2), seed=0))
    mask = policy.product_mask()
    assert mask is policy.product_mask()
    with pytest.raises(ValueError, match="read-only"):
        mask[...] = False
