from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from billing.admin.dashboards import count_figures_view, dashboard_page
from billing.admin.price_differences import differences_page
from billing.admin.price_tool import price_tool
from billing.admin.what_if import what_if_page

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/price-tool/", admin.site.admin_view(price_tool), name="price-tool"),
    path("admin/what-if/", admin.site.admin_view(what_if_page), name="what-if"),
    path("admin/price-differences/", admin.site.admin_view(differences_page), name="price-differences"),
    path("admin/dashboards/", admin.site.admin_view(dashboard_page), name="dashboards"),
    path("admin/dashboards/count/", admin.site.admin_view(count_figures_view), name="dashboards-count"),
    path("admin/dashboards/<slug:name>/", admin.site.admin_view(dashboard_page), name="dashboard"),
    path("admin/", admin.site.urls),
    path("invoices/", include("invoicing.api.link_urls")),
    path("", include("config.api.urls")),
]

# Below the APIs' prefixes an error is JSON also where no view was reached.
handler400 = "config.api.errors.bad_request"
handler403 = "config.api.errors.permission_denied"
handler404 = "config.api.errors.page_not_found"
handler500 = "config.api.errors.server_error"
