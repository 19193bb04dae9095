from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations


class Migration(migrations.Migration):
    initial = True

    # Exclusion constraints that compare ids with ranges need it.
    operations = [BtreeGistExtension()]
