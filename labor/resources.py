"""People, as spreadsheets."""

from core.resources import MasterDataResource
from labor.models import Crew, Employee, Skill


class CrewResource(MasterDataResource):
    """Crews by code."""

    examples = {"code": "A", "name": "Crew A", "site": "WAW", "is_active": "yes"}

    class Meta(MasterDataResource.Meta):
        model = Crew
        fields = ("code", "name", "site", "is_active")
        import_id_fields = ("code",)


class SkillResource(MasterDataResource):
    """Skills by code."""

    examples = {"code": "FORKLIFT", "name": "Forklift", "is_active": "yes"}

    class Meta(MasterDataResource.Meta):
        model = Skill
        fields = ("code", "name", "is_active")
        import_id_fields = ("code",)


class EmployeeResource(MasterDataResource):
    """Employees by personnel number."""

    examples = {
        "code": "1042",
        "name": "Ewa Nowak",
        "site": "WAW",
        "crew": "A",
        "badge": "B-1042",
        "hourly_rate": "31.50",
        "is_active": "yes",
    }

    class Meta(MasterDataResource.Meta):
        model = Employee
        fields = ("code", "name", "site", "crew", "badge", "hourly_rate", "is_active")
        import_id_fields = ("code",)
