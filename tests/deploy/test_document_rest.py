"""What is left of a document without its mistakes, and the way back from there."""

from deploy.document_rest import DocumentRest


def test_a_wrong_value_is_left_out_and_all_else_stays() -> None:
    rest = DocumentRest({"a": 1, "b": {"c": 2, "d": 3}}, [("b", "c")])
    assert rest.document == {"a": 1, "b": {"d": 3}}
    assert rest.origin(("b", "d")) == ("b", "d")


def test_an_element_with_a_mistake_goes_whole_and_the_places_of_the_others_are_known() -> None:
    document = {"meter": [{"n": 0}, {"n": "x"}, {"n": 2}, {}, {"n": 4}]}
    rest = DocumentRest(document, [("meter", 1, "n"), ("meter", 3, "n")])
    assert rest.document == {"meter": [{"n": 0}, {"n": 2}, {"n": 4}]}
    assert [rest.origin(("meter", index, "n")) for index in range(3)] == [("meter", at, "n") for at in (0, 2, 4)]


def test_the_innermost_array_is_the_one_that_loses_an_element() -> None:
    rest = DocumentRest({"a": [{"b": [1, "x", 3]}]}, [("a", 0, "b", 1)])
    assert rest.document == {"a": [{"b": [1, 3]}]}
    assert rest.origin(("a", 0, "b", 1)) == ("a", 0, "b", 2)


def test_a_key_that_is_missing_leaves_out_nothing() -> None:
    assert DocumentRest({"a": {}}, [("b",), ("a", "c")]).document == {"a": {}}
