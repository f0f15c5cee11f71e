-- Operations that are younger than the views.
insert into operation_names (field, name) values
    (16, 'trim'),
    (20, 'layer'),
    (21, 'replaceGreenScreen'),
    (23, 'speed'),
    (25, 'freeze'),
    (28, 'convert');
