"""The table of roles and permissions: complete, and narrow where it has to be."""

from headend.permissions import PERMISSIONS, Permission, Role

CHANGING = {
    Permission.UPLOAD,
    Permission.REGISTER,
    Permission.HAND_IN_BILLS,
    Permission.COMMAND,
    Permission.TOP_UP,
    Permission.CLOSE_PERIODS,
    Permission.MANAGE_USERS,
}


def test_every_role_is_in_the_table() -> None:
    assert set(PERMISSIONS) == set(Role)
    assert set().union(*PERMISSIONS.values()) == set(Permission)


def test_an_auditor_changes_nothing_and_reads_everything() -> None:
    assert PERMISSIONS[Role.AUDITOR] == set(Permission) - CHANGING


def test_only_a_gateway_uploads_and_only_an_admin_manages_users() -> None:
    assert [role for role in Role if Permission.UPLOAD in PERMISSIONS[role]] == [Role.GATEWAY]
    assert [role for role in Role if Permission.MANAGE_USERS in PERMISSIONS[role]] == [Role.ADMIN]
