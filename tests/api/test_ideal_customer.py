from tests.api.world import World

PATH = "/api/v1/ideal-customer"


async def test_what_cannot_be_compared_yet_is_said(world: World) -> None:
    answer = await world.get(PATH)
    assert answer.status_code == 200
    found = answer.json()
    assert found["accounts"] == 0
    assert found["says"].startswith("Insufficient data")
    assert found["observed"] == []
