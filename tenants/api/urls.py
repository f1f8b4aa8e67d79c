"""Paths of the REST contract about tenants and users; none ends in a slash."""

from django.urls import path

from tenants.api import audit, callers, options, tenants, users

urlpatterns = [
    path("tenant/loginOptions", callers.login_options),
    path("tenant/currentTenant", callers.current_tenant),
    path("tenant/options", options.options),
    path("tenant/options/<str:category>", options.category),
    path("tenant/options/<str:category>/<path:key>", options.option),
    path("tenant/tenants", tenants.tenants),
    path("tenant/tenants/<str:tenant_id>", tenants.tenant),
    path("user/currentUser", callers.current_user),
    path("user/<str:tenant_id>/users", users.users),
    path("user/<str:tenant_id>/users/<str:user_id>", users.user),
    path("tenant/system/options", options.system_options),
    path("tenant/system/options/<str:category>/<path:key>", options.system_option),
    path("audit/auditRecords", audit.audit_records),
    path("audit/auditRecords/<str:record_id>", audit.audit_record),
]
