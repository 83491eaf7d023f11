"""Every act of the trail, and every fact that a room writes down of one, is said in words."""

import ast
from pathlib import Path

import capture_app
from capture_app.model.audit_event import AuditAction
from capture_app.ui.trail.words import act_words, detail_words

SOURCE = Path(capture_app.__file__).parent


def test_every_act_has_words() -> None:
    words = act_words()
    assert set(words) == set(AuditAction)
    assert len(set(words.values())) == len(words)


def test_every_fact_of_an_act_has_words() -> None:
    words, names = detail_words(), names_of_facts()
    assert names <= set(words), names - set(words)
    assert len(names) > 40, "the search finds what the rooms write down"
    assert all(words.values())


def names_of_facts() -> set[str]:
    """The keys of every mapping that the product hands over as the details of an act."""
    trees = [ast.parse(path.read_text("utf-8")) for path in SOURCE.rglob("*.py")]
    constants = {
        node.target.id: node.value.value
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and isinstance(node.value, ast.Constant)
    }
    found = {
        key.value if isinstance(key, ast.Constant) else constants[ast.unparse(key)]
        for tree in trees
        for node in ast.walk(tree)
        if _hands_details_over(node)
        for mapping in ast.walk(node)
        if isinstance(mapping, ast.Dict)
        for key in mapping.keys
        if isinstance(key, ast.Constant) or (key and ast.unparse(key) in constants)
    }
    return {str(name) for name in found} | {"certificate", "failures", "service"}


def _hands_details_over(node: ast.AST) -> bool:
    match node:
        case ast.keyword(arg="details"):
            return True
        case ast.Assign(targets=[ast.Name(id="details")]):
            return True
        case ast.FunctionDef(name="_details"):
            return True
        case ast.Call(args=args):
            return any(
                text == "action" or "AuditAction." in text
                for text in (ast.unparse(one) for one in args)
            )
        case _:
            return False
