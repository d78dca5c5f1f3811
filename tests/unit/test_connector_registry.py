import pytest

from app.connectors import registry
from app.connectors.contract import DataConnector, FileConnector, OperatorSettings
from app.connectors.registry import ConnectorRegistry, UnknownConnector


def test_each_connector_is_found_under_its_own_name_and_is_of_one_kind(tmp_path):
    connectors = ConnectorRegistry(OperatorSettings(tmp_path, offered=registry.NAMES))
    assert [connector.name for connector in connectors.offered()] == list(registry.NAMES)
    for connector in connectors.offered():
        assert connectors.named(connector.name) is connector
        assert isinstance(connector, FileConnector) != isinstance(connector, DataConnector)
        assert connector.title
        assert connector.summary.endswith(".")
        names = [setting.name for setting in connector.settings]
        assert len(set(names)) == len(names)
        assert all(setting.label and setting.hint for setting in connector.settings)


def test_what_is_not_offered_any_more_goes_on_working(tmp_path):
    connectors = ConnectorRegistry(OperatorSettings(tmp_path))
    assert connectors.offered() == ()
    assert connectors.named("folder").name == "folder"


def test_a_name_that_does_not_exist_is_refused_at_the_start(tmp_path):
    with pytest.raises(UnknownConnector, match="ftp"):
        ConnectorRegistry(OperatorSettings(tmp_path, offered=("ftp",)))
    with pytest.raises(UnknownConnector):
        ConnectorRegistry(OperatorSettings(tmp_path)).named("ftp")
