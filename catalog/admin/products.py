from django.contrib import admin
from django.utils.safestring import SafeString

from catalog.admin.base import Admin, column, link, list_url
from catalog.models import Product


@admin.register(Product)
class ProductAdmin(Admin):
    list_display = ("code", "name", "kind", "product_group", "product_line", "rates")
    list_filter = ("kind",)
    search_fields = ("code__istartswith", "name__icontains")
    fieldsets = (
        (None, {"fields": (("code", "name"), "kind", ("product_group", "product_line"), "description")}),
        ("Prices", {"fields": ("rates",)}),
    )
    readonly_fields = ("rates",)
    deletable = False
    empty_hint = "Add what you sell. Usage records and rates name a product by its code."

    @column("Rates")
    def rates(self, product: Product) -> SafeString | str:
        if product.pk is None:
            return "Save the product first, then add its rates."
        return link(list_url("catalog_rate", product__id__exact=product.pk), "Rates of this product")
