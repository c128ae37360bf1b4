"""The tests of fleet_test.py, in their order."""

TESTS = []


def test(function):
    TESTS.append(function)
    return function


def alongside(function):
    """Mostly waiting, with boxes of its own: runs beside the others."""
    function.alongside = True
    return test(function)
