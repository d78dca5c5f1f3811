import pytest

from app.connectors import registry
from app.connectors.contract import DataConnector, FileConnector, OperatorSettings
from app.connectors.registry import UnknownConnector, configured


def test_each_connector_stands_under_its_own_name_and_is_of_one_kind(tmp_path):
    connectors = configured(OperatorSettings(tmp_path, offered=registry.NAMES))
    assert tuple(connectors) == registry.NAMES
    for name, connector in connectors.items():
        assert connector.name == name
        assert isinstance(connector, FileConnector) != isinstance(connector, DataConnector)
        assert connector.title
        assert connector.summary.endswith(".")
        names = [setting.name for setting in connector.settings]
        assert len(set(names)) == len(names)
        assert all(setting.label and setting.hint for setting in connector.settings)


def test_what_is_not_offered_is_not_there(tmp_path):
    assert dict(configured(OperatorSettings(tmp_path))) == {}


def test_a_name_that_does_not_exist_is_refused_at_the_start(tmp_path):
    with pytest.raises(UnknownConnector, match="ftp"):
        configured(OperatorSettings(tmp_path, offered=("folder", "ftp")))
